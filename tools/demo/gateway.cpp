/*
 * gateway URL READINGS early|late|often: a telemetry gateway. Four sensor threads publish READINGS readings
 * each to an MQTT broker with delivery at least once, and a callback tallies the site's traffic as the broker
 * hands it out again.
 *
 * Why this is a real case: the lock inversion is not in this file. It is in the Eclipse Paho MQTT libraries,
 * which are widely used, exactly as Debian 12 packages them (libpaho-mqttpp3-1 1.2.0 on libpaho-mqtt1.3):
 *   - mqtt::async_client::set_callback() locks the client object and, holding that lock, calls
 * MQTTAsync_setConnected() of the C library, which takes the library's one global mutex.
 *   - The C library's receiving thread holds the global mutex while it tells about a finished connect,
 * subscription or delivery; in the C++ library that arrives at mqtt::async_client::remove_token(), which
 * locks the client object. Users met it as hangs during connection establishment (issues 356 and 481 of
 * paho.mqtt.cpp): an application that connects and then sets its callback hangs when an answer of the broker
 * comes in within the same microseconds.
 *
 *   late   sets the callback on the connected client, here at a quiet moment, so that it never hangs.
 *   early  sets it before connecting, while the library's threads do not exist: the same two orders, but one
 * is over before the other can begin. That is what an application can do until its library is mended. often
 * like late, and sets it again and again while answers come in: it hangs within a second or two.
 */
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mqtt/async_client.h>

static mqtt::async_client *client;

namespace {

constexpr int sensors = 4;
constexpr int burst = 20; /* readings in flight of one sensor */
constexpr int at_least_once = 1;
constexpr std::chrono::seconds patience{30};

/* What came back from the broker, by topic. */
class tally : public virtual mqtt::callback {
  public:
    void message_arrived(mqtt::const_message_ptr message) override {
        std::lock_guard<std::mutex> guard(mutex);
        seen[message->get_topic()]++;
        total++;
    }

    void connection_lost(const std::string &cause) override {
        std::fprintf(stderr, "gateway: connection lost %s\n", cause.c_str());
        lost = true;
    }

    bool wait_for(int wanted) const {
        for (auto end = std::chrono::steady_clock::now() + patience;
             std::chrono::steady_clock::now() < end;) {
            if (total >= wanted || lost)
                break;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return total >= wanted;
    }

    size_t topics() {
        std::lock_guard<std::mutex> guard(mutex);
        return seen.size();
    }

    int count() const { return total; }

  private:
    std::mutex mutex;
    std::map<std::string, int> seen;
    std::atomic<int> total{0};
    std::atomic<bool> lost{false};
};

tally traffic;
std::atomic<int> published{0};

void finish(const mqtt::token_ptr &token) {
    if (!token->wait_for(patience))
        throw std::runtime_error("the broker does not answer");
}

std::string reading(int sensor, int number) {
    return "{\"sensor\":" + std::to_string(sensor) +
           ",\"celsius\":" + std::to_string(18 + (number * 7 + sensor) % 9) + "}";
}

void publish_burst(int sensor, int first, int count) {
    std::vector<mqtt::delivery_token_ptr> tokens;

    for (int i = 0; i < count; i++) {
        std::string text = reading(sensor, first + i);
        tokens.push_back(client->publish("site/sensor/" + std::to_string(sensor), text.data(), text.size(),
                                         at_least_once, false));
    }
    for (const auto &token : tokens)
        finish(token);
    published += count;
}

void run_sensor(int sensor, int readings) {
    try {
        for (int done = 0; done < readings; done += burst)
            publish_burst(sensor, done, std::min(burst, readings - done));
    } catch (const std::exception &error) {
        std::fprintf(stderr, "gateway: sensor %d: %s\n", sensor, error.what());
    }
}

void run_sensors(int readings, bool often) {
    std::vector<std::thread> threads;

    for (int sensor = 0; sensor < sensors; sensor++)
        threads.emplace_back(run_sensor, sensor, readings);
    while (often && published < readings * sensors)
        client->set_callback(traffic);
    for (auto &thread : threads)
        thread.join();
}

void connect(bool early) {
    if (early)
        client->set_callback(traffic);
    finish(client->connect());
    std::string here = "here";
    finish(client->publish("site/gateway", here.data(), here.size(), at_least_once, true));
    std::this_thread::sleep_for(std::chrono::milliseconds(200)); /* nothing is in flight any more */
    if (!early)
        client->set_callback(traffic);
    finish(client->subscribe("site/sensor/#", at_least_once));
}

int run(mqtt::async_client &gateway, int readings, const std::string &when) {
    int wanted = readings * sensors;

    client = &gateway;
    connect(when == "early");
    run_sensors(readings, when == "often");
    bool complete = traffic.wait_for(wanted);
    finish(client->disconnect());
    std::printf("%d of %d readings delivered, %d came back on %zu topics\n", published.load(), wanted,
                traffic.count(), traffic.topics());
    return complete && published == wanted ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 4)
        return std::fputs("usage: gateway URL READINGS early|late|often\n", stderr), 2;
    try {
        static mqtt::async_client gateway(argv[1], "gateway");
        return run(gateway, std::atoi(argv[2]), argv[3]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "gateway: %s\n", error.what());
        return 1;
    }
}
