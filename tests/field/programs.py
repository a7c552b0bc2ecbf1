"""The programs: each function starts one, drives its normal work, fills in run.behaviour and run.work, and ends it."""

import hashlib
import os
import pathlib
import random
import re
import select
import signal
import subprocess
import sys
import urllib.request

from subject import FieldError, checked, count_threads, free_port, listening

HERE = pathlib.Path(__file__).resolve().parent
ROOT = os.geteuid() == 0


def ask(process):
    process.stdin.write("\n")
    process.stdin.flush()
    if not select.select([process.stdout], [], [], 120)[0]:
        raise FieldError("the load generator hangs")
    line = process.stdout.readline()
    if not line:
        raise FieldError("the load generator ended")
    return line.split()


def memcached(run):
    """Gets and sets over 16 connections, eight in flight on each."""
    port = free_port()
    generator = run.place / "memload"
    checked(["gcc", "-O2", "-o", generator, HERE.parent / "bench/memload.c"])
    server = run.start("memcached", *(["-u", "root"] if ROOT else []), "-l", "127.0.0.1", "-p", str(port), "-U", "0",
                       "-t", "4", "-m", "256", ready=listening(port))
    load = subprocess.Popen([generator, str(port), "64000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    load.stdout.readline()
    hits = []
    bursts = run.repeat(lambda _: hits.append(int(ask(load)[1])))
    load.stdin.close()
    load.wait(10)
    run.behaviour["hits of the first 20 bursts"] = hits[:20]
    run.work["requests"] = bursts * 64000
    run.behaviour["exit"] = run.stop(server)


REDIS_TESTS = "set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,lrange_100,mset"


def redis(run):
    """redis-benchmark against four I/O threads, background save and append-only file on."""
    port = str(free_port())
    server = run.start("redis-server", "--bind", "127.0.0.1", "--port", port, "--io-threads", "4",
                       "--io-threads-do-reads", "yes", "--appendonly", "yes", "--save", "20 1000", "--dir",
                       str(run.place), ready=listening(int(port)))

    def command(*words):
        return checked(["redis-cli", "-p", port, *words]).strip()

    def step(_):
        checked(["redis-benchmark", "-p", port, "-q", "-n", "40000", "-c", "50", "-P", "8", "-t", REDIS_TESTS])

    rounds = run.repeat(step)
    run.behaviour["counter is the number of increments"] = command("get", "counter:__rand_int__") == str(rounds * 40000)
    command("eval", "for i=1,1000 do redis.call('set','k'..i,i) end", "0")
    run.behaviour["sum"] = command("eval", "local s=0 for i=1,1000 do s=s+redis.call('get','k'..i) end return s", "0")
    run.behaviour["ping"] = command("ping")
    run.work["commands"] = rounds * 40000 * len(REDIS_TESTS.split(","))
    run.behaviour["exit"] = run.stop(server)


def mariadb(run):
    """sysbench's transactions on four connections over four InnoDB tables, then a fixed set of changes, summed up."""
    data = run.place / "data"
    socket_path = str(run.place / "socket")
    user = ["--user=root"] if ROOT else []
    checked(["mariadb-install-db", "--no-defaults", f"--datadir={data}", *user, "--auth-root-authentication-method=normal"])
    server = run.start("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket_path}", "--skip-networking",
                       "--innodb-buffer-pool-size=128M", "--log-bin", "--performance-schema=ON", *user,
                       ready=pathlib.Path(socket_path).exists)

    def sql(text):
        return checked(["mariadb", "--no-defaults", "-uroot", f"--socket={socket_path}", "-N", "-e", text])

    sql("create database sbtest")
    sysbench = ["sysbench", "oltp_read_write", "--db-driver=mysql", f"--mysql-socket={socket_path}", "--mysql-user=root",
                "--tables=4", "--table-size=10000", "--threads=4", f"--time={run.seconds}"]
    checked([*sysbench, "prepare"])
    report = checked([*sysbench, "run"])
    run.work["transactions"] = int(re.search(r"transactions:\s*(\d+)", report).group(1))
    run.behaviour["rows"] = [sql(f"select count(*) from sbtest.sbtest{n}").strip() for n in range(1, 5)]
    sql("create table sbtest.t (a int primary key, b int) engine=innodb;"
        "insert into sbtest.t select seq, seq * 7 % 1009 from sbtest.seq_1_to_20000;"
        "update sbtest.t set b = b + a where a % 3 = 0; delete from sbtest.t where b % 5 = 0;")
    run.behaviour["sum"] = sql("select count(*), sum(a), sum(b) from sbtest.t").split()
    run.behaviour["check"] = sql("check table sbtest.t, sbtest.sbtest1").split()[3::4]
    run.behaviour["exit"] = run.stop(server)


APACHE = """
ServerRoot {place}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {place}/pid
Mutex file:{place}
ErrorLog {place}/error.log
CustomLog {place}/access.log common
DocumentRoot {place}/htdocs
{user}
{modules}
StartServers 4
ServerLimit 4
ThreadsPerChild 16
MaxRequestWorkers 64
MaxSpareThreads 64
ThreadLimit 16
<Directory {place}/htdocs>
    Require all granted
</Directory>
<Location /status>
    SetHandler server-status
</Location>
AddOutputFilterByType DEFLATE text/plain
"""
APACHE_MODULES = ("mpm_event", "authz_core", "deflate", "filter", "mime", "status", "cache", "cache_socache",
                  "socache_shmcb")


def apache(run):
    """ab with keep-alive and without, plain and compressed, against the event module; a graceful restart at the end."""
    port = free_port()
    (run.place / "htdocs").mkdir()
    (run.place / "htdocs/page.txt").write_text("the same line again and again\n" * 400)
    os.chmod(run.place, 0o755)
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES)
    user = "User www-data\nGroup www-data" if ROOT else ""
    (run.place / "apache.conf").write_text(APACHE.format(place=run.place, port=port, modules=modules, user=user)
                                           + "TypesConfig /etc/mime.types\n")
    server = run.start("apache2", "-f", str(run.place / "apache.conf"), "-DFOREGROUND", ready=listening(port))
    url = f"http://127.0.0.1:{port}/page.txt"
    failed = []

    def step(number):
        how = (["-k"], ["-k", "-H", "Accept-Encoding: gzip"], [])[number % 3]
        report = checked(["ab", "-q", "-n", "10000", "-c", "16", *how, url])
        failed.append(int(re.search(r"Failed requests:\s*(\d+)", report).group(1)))
        failed.append(int((re.search(r"Non-2xx responses:\s*(\d+)", report) or [0, 0])[1]))

    rounds = run.repeat(step)
    os.kill(int((run.place / "pid").read_text()), signal.SIGUSR1)  # a graceful restart; it closes connections, as it should
    checked(["ab", "-q", "-r", "-n", "10000", "-c", "16", url])
    run.behaviour["failed requests"] = sum(failed)
    run.behaviour["page"] = hashlib.sha256(urllib.request.urlopen(url, timeout=10).read()).hexdigest()
    run.work["requests"] = rounds * 10000
    run.behaviour["exit"] = run.stop(server)


UNBOUND = """
server:
    directory: "{place}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1
    port: {port}
    num-threads: 4
    do-not-query-localhost: no
    module-config: "iterator"
    rrset-cache-size: 1m
    msg-cache-size: 1m
    local-zone: "test." nodefault
    local-zone: "field.test." static
{names}
remote-control:
    control-enable: no
stub-zone:
    name: "stub.test."
    stub-addr: 127.0.0.1@{upstream}
"""


def unbound_configuration(place, port, upstream, name):
    names = "\n".join(f'    local-data: "h{n}.field.test. 300 IN A 10.0.{n >> 8}.{n & 255}"' for n in range(2000))
    if name == "upstream":
        names += "\n    local-zone: \"stub.test.\" redirect\n    local-data: \"stub.test. 1 IN A 10.9.9.9\""
    path = place / f"{name}.conf"
    path.write_text(UNBOUND.format(place=place, port=port, upstream=upstream, names=names))
    return str(path)


def unbound(run):
    """dnsperf: answers from local data, and names that are resolved through a second, native unbound and cached."""
    port, upstream = free_port(), free_port()
    helper = subprocess.Popen(["unbound", "-d", "-c", unbound_configuration(run.place, upstream, port, "upstream")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run.processes.append(helper)
    server = run.start("unbound", "-d", "-c", unbound_configuration(run.place, port, upstream, "main"),
                       ready=listening(port))
    source = random.Random(3)
    queries = [f"h{source.randrange(2200)}.field.test A" if number % 2 else f"n{source.randrange(50000)}.stub.test A"
               for number in range(100000)]
    (run.place / "queries").write_text("\n".join(queries) + "\n")
    report = checked(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(run.place / "queries"), "-c", "8", "-q",
                      "50", "-l", str(run.seconds)])
    codes = re.search(r"Response codes:\s*(.*)", report).group(1)
    run.work["queries"] = int(re.search(r"Queries completed:\s*(\d+)", report).group(1))
    run.work["response codes"] = codes
    run.behaviour["kinds of answers"] = sorted(re.findall(r"[A-Z]+", codes))
    lost = int(re.search(r"Queries lost:\s*(\d+)", report).group(1))
    run.behaviour["lost below one in a thousand"] = lost * 1000 < run.work["queries"]
    run.behaviour["exit"] = run.stop(server)
    helper.terminate()
    helper.wait(10)


def rocksdb(run):
    """db_bench: writes, reads, overwrites, a reader beside writers and compaction, four threads and the background ones."""
    seconds = max(2, run.seconds // 5)
    process = run.start("db_bench", "--benchmarks=fillseq,readrandom,overwrite,readwhilewriting,seekrandomwhilewriting,"
                        "updaterandom,mergerandom,compact,levelstats", "--merge_operator=uint64add", "--num=100000",
                        "--threads=4", f"--duration={seconds}", f"--db={run.place}/db", "--value_size=64", "--seed=5",
                        "--write_buffer_size=1048576", "--target_file_size_base=1048576", "--max_background_jobs=4",
                        "--max_write_buffer_number=4", "--use_existing_db=0", "--compression_type=none",
                        ready=lambda: True)
    run.threads = wait_counting_threads(process, run)
    text = run.output()
    run.behaviour["exit"] = process.returncode
    run.behaviour["parts"] = re.findall(r"^(\w+)\s+:\s+[\d.]+ micros/op", text, re.M)
    found = re.search(r"^readrandom.*\((\d+) of (\d+) found\)", text, re.M)
    run.behaviour["nothing missing"] = found is not None and found.group(1) == found.group(2)
    run.work["operations"] = sum(map(int, re.findall(r"seconds (\d+) operations", text)))


def wait_counting_threads(process, run):
    most = 0
    while process.poll() is None:
        most = max(most, count_threads(process.pid))
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            continue
    return most


def pbzip2(run):
    """Compresses and decompresses 20 MB with four threads, over and over."""
    source = random.Random(7)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 9))) for _ in range(4000)]
    text = run.place / "text"
    with open(text, "w") as out:
        while out.tell() < 20 << 20:
            out.write(" ".join(source.choices(words, k=20000)) + "\n")
    digests = set()
    codes = set()

    def step(_):
        for flags, given in ((["-k", "-f"], text), (["-d", "-k", "-f"], f"{text}.bz2")):
            process = run.start("pbzip2", "-q", "-p4", *flags, str(given), ready=lambda: True)
            run.threads = max(run.threads, wait_counting_threads(process, run))
            codes.add(process.returncode)
        digests.add(hashlib.sha256(pathlib.Path(f"{text}.bz2").read_bytes()).hexdigest())
        digests.add(hashlib.sha256(text.read_bytes()).hexdigest())

    run.work["rounds of 20 MB"] = run.repeat(step)
    run.behaviour["digests"] = sorted(digests)
    run.behaviour["exit"] = sorted(codes)


PROGRAMS = {program.__name__: program for program in
            (memcached, redis, mariadb, apache, unbound, rocksdb, pbzip2)}

# The Debian packages of each, and of what drives it.
PACKAGES = {"memcached": ["memcached"], "redis": ["redis-server", "redis-tools"],
            "mariadb": ["mariadb-server", "mariadb-client", "sysbench"], "apache": ["apache2", "apache2-utils"],
            "unbound": ["unbound", "dnsperf"], "rocksdb": ["rocksdb-tools"], "pbzip2": ["pbzip2"]}


def install_packages(programs):
    wanted = [package for program in programs for package in PACKAGES[program]]
    missing = [name for name in wanted if subprocess.run(["dpkg", "-s", name], capture_output=True).returncode != 0]
    if missing:
        print("field: installing", *missing, file=sys.stderr)
        sudo = [] if os.geteuid() == 0 else ["sudo"]
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")  # no service is to start
        subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env)
