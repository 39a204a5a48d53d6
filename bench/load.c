/*
 * Load over keep-alive HTTP/1.1: each connection sends one request, waits for its answer, sends the next.
 *
 * usage: load PORT TEMPLATES CONNECTIONS WARM_S SECONDS FIRST_REFERENCE
 *
 * TEMPLATES is a file of complete requests, each ended by a NUL byte, in pairs: a connection that comes back to the
 * same pair sends the other one of it, so that each request changes what the last one wrote. Twelve '#' in a request
 * are replaced by a number that no other request of this run has, counted from FIRST_REFERENCE.
 *
 * Writes "begin" when the warming up is over and "end" when the time is, each at once, so that whoever started it can
 * read clocks at both; then one JSON line. Every answer must be HTTP 200 with the body {"statusCode":0}; the first
 * other one ends the run with exit code 1 and is shown on stderr.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_TEMPLATES = 100000,    /* 50,000 agents, more than the demo makes */
    MAX_CONNECTIONS = 4096,    /* one process's descriptors, with room */
    MAX_REQUEST = 8192,        /* ten times the longest template */
    MAX_ANSWER = 65536,        /* the answers have 200 bytes; a longer one is wrong */
    MAX_MICROSECONDS = 2000000 /* latencies are counted in steps of 1 us up to here; slower ones count as this */
};

static const char PLACE[] = "############";
static const char WANTED[] = "{\"statusCode\":0}";

struct connection {
    int descriptor;
    int pair;        /* of the next request */
    int64_t sent_at; /* ns */
    size_t held;     /* bytes of the answer so far */
    char answer[MAX_ANSWER];
};

static char *texts[MAX_TEMPLATES];
static size_t lengths[MAX_TEMPLATES];
static size_t places[MAX_TEMPLATES];
static unsigned char visits[MAX_TEMPLATES];
static int pair_count;
static uint32_t *histogram;
static uint64_t next_reference;
static uint64_t answered, all_answered;
static int64_t slowest_ns;
static int is_measuring;

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void fail(const char *what, const char *detail, size_t length) {
    fprintf(stderr, "load: %s\n%.*s\n", what, (int)length, detail);
    exit(1);
}

static void read_templates(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail("cannot open the templates", path, strlen(path));
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *all = malloc((size_t)size + 1);
    if (!all || fread(all, 1, (size_t)size, file) != (size_t)size) fail("cannot read the templates", path, strlen(path));
    fclose(file);
    all[size] = 0;
    int count = 0;
    for (char *at = all; at < all + size && count < MAX_TEMPLATES; at += lengths[count - 1] + 1) {
        texts[count] = at;
        lengths[count] = strlen(at);
        char *place = strstr(at, PLACE);
        if (!place || lengths[count] > MAX_REQUEST) fail("a template is unusable", at, 200);
        places[count] = (size_t)(place - at);
        count++;
    }
    pair_count = count / 2;
    if (pair_count == 0) fail("there are no templates", path, strlen(path));
}

static void send_next(struct connection *c, int step) {
    int which = c->pair * 2 + (visits[c->pair]++ & 1);
    char request[MAX_REQUEST], digits[24];
    size_t length = lengths[which];
    memcpy(request, texts[which], length);
    snprintf(digits, sizeof digits, "%012llu", (unsigned long long)next_reference++);
    memcpy(request + places[which], digits, sizeof PLACE - 1);
    c->pair = (c->pair + step) % pair_count;
    c->held = 0;
    c->sent_at = now_ns();
    /* A request fits the socket's buffer, which is empty: the last answer has come. */
    if (write(c->descriptor, request, length) != (ssize_t)length) fail("a request could not be sent", strerror(errno), 80);
}

/* Length of the complete answer at the front of the buffer, 0 when more must come. */
static size_t complete(struct connection *c) {
    c->answer[c->held] = 0;
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!length || length > end) fail("an answer without content-length", c->answer, c->held);
    size_t total = (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
    if (c->held < total) return 0;
    if (strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0 || strcmp(end + 4, WANTED) != 0)
        fail("an answer that is not success", c->answer, c->held);
    return total;
}

static int take_answer(struct connection *c) {
    ssize_t got = read(c->descriptor, c->answer + c->held, MAX_ANSWER - 1 - c->held);
    if (got <= 0) fail("the server closed a connection", got < 0 ? strerror(errno) : "", 80);
    c->held += (size_t)got;
    if (!complete(c)) return 0;
    int64_t took_ns = now_ns() - c->sent_at;
    all_answered++;
    if (is_measuring) {
        int64_t us = took_ns / 1000;
        answered++;
        histogram[us < MAX_MICROSECONDS ? us : MAX_MICROSECONDS]++;
        if (took_ns > slowest_ns) slowest_ns = took_ns;
    }
    return 1;
}

static double quantile_us(double part) {
    uint64_t wanted = (uint64_t)(part * (double)answered), seen = 0;
    for (int us = 0; us <= MAX_MICROSECONDS; us++) {
        seen += histogram[us];
        if (seen > wanted) return us;
    }
    return MAX_MICROSECONDS;
}

static double own_cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static struct connection *open_connections(int port, int count, int poll) {
    struct connection *all = calloc((size_t)count, sizeof *all);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (int i = 0; i < count; i++) {
        int one = 1;
        all[i].descriptor = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(all[i].descriptor, (struct sockaddr *)&address, sizeof address) != 0)
            fail("cannot connect", strerror(errno), 80);
        setsockopt(all[i].descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        all[i].pair = i % pair_count;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].descriptor, &event);
    }
    return all;
}

static void say(const char *word) {
    puts(word);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 7) fail("usage: load PORT TEMPLATES CONNECTIONS WARM_S SECONDS FIRST_REFERENCE", "", 0);
    read_templates(argv[2]);
    int count = atoi(argv[3]);
    if (count < 1 || count > MAX_CONNECTIONS) fail("too many connections", argv[3], strlen(argv[3]));
    next_reference = strtoull(argv[6], NULL, 10);
    histogram = calloc(MAX_MICROSECONDS + 1, sizeof *histogram);
    int poll = epoll_create1(0);
    struct connection *all = open_connections(atoi(argv[1]), count, poll);

    int64_t started = now_ns();
    int64_t begin = started + (int64_t)(atof(argv[4]) * 1e9), end = begin + (int64_t)(atof(argv[5]) * 1e9);
    double cpu_begin_s = 0, cpu_end_s = 0;
    int64_t began = 0, ended = 0;
    int waiting = count;
    for (int i = 0; i < count; i++) send_next(&all[i], count);
    struct epoll_event events[256];
    while (waiting > 0) {
        int ready = epoll_wait(poll, events, 256, 10000);
        if (ready == 0) fail("no answer within 10 s", "", 0);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!take_answer(c)) continue;
            if (ended) waiting--;
            else send_next(c, count);
        }
        int64_t at = now_ns();
        if (!is_measuring && !ended && at >= begin) {
            say("begin");
            began = now_ns();
            cpu_begin_s = own_cpu_s();
            is_measuring = 1;
        } else if (is_measuring && at >= end) {
            say("end");
            ended = now_ns();
            cpu_end_s = own_cpu_s();
            is_measuring = 0;
        }
    }
    printf("{\"requests\": %llu, \"all_requests\": %llu, \"seconds\": %.6f, \"p50_us\": %.0f, \"p99_us\": %.0f, "
           "\"max_us\": %.0f, \"load_cpu_s\": %.6f}\n",
           (unsigned long long)answered, (unsigned long long)all_answered, (double)(ended - began) / 1e9,
           quantile_us(0.5), quantile_us(0.99), (double)slowest_ns / 1000, cpu_end_s - cpu_begin_s);
    return 0;
}
