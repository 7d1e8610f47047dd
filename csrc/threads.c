/* The team of threads that shares a kernel's work: ours, and not OpenMP's, for how it waits. Between
   two kernels lie a few microseconds of Python. Threads that sleep at once are woken by the system
   on the core of whoever calls, and then take turns with it; threads that turn on the spot instead
   take a core from a neighbour on a busy machine. These turn for a moment, offering their core at
   each turn to anyone who has work, and only then sleep. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "internal.h"

#define MOST 1024 /* threads: more than any machine has cores */
#define SHORT 1000 /* turns at a barrier before the core is offered: some 10 microseconds */
#define TURNS 300 /* of offering the core before going to sleep: about 100 microseconds */

typedef struct {
    pthread_t thread;
    atomic_uint order; /* counts the calls that this member is to take part in */
    atomic_int asleep;
    pthread_mutex_t lock;
    pthread_cond_t wake;
} member;

/* What the members work on now. Written by the caller, who holds `busy`, before it orders them. */
static struct {
    ts_work work;
    void *context;
    int threads;
    atomic_int running;              /* members that have not finished */
    atomic_int arrived;              /* at the barrier */
    atomic_uint passed;              /* barriers passed so far */
} job;

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER; /* one call at a time has the team */
static member *team[MOST];
static int members = 0;
static _Thread_local int together = 1; /* how many threads run the call that this thread is in */

static int thread_count = 0; /* 0: not set yet */

/* The child of a fork has one thread, whatever the team was doing. */
static void forget_the_team(void)
{
    members = 0;
    thread_count = 1;
    together = 1;
    pthread_mutex_init(&busy, NULL);
}

__attribute__((constructor)) static void watch_for_forks(void)
{
    pthread_atfork(NULL, NULL, forget_the_team);
}

void ts_set_threads(int threads)
{
    thread_count = threads < 1 ? 1 : threads > MOST ? MOST : threads;
}

int ts_get_threads(void)
{
    if (thread_count == 0) {
        const char *asked = getenv("OMP_NUM_THREADS"); /* everyone's name for it */
        long threads = asked ? strtol(asked, NULL, 10) : 0;
#ifdef __linux__
        cpu_set_t cores;
        if (threads < 1 && sched_getaffinity(0, sizeof cores, &cores) == 0)
            threads = CPU_COUNT(&cores);
#endif
        if (threads < 1)
            threads = sysconf(_SC_NPROCESSORS_ONLN);
        ts_set_threads(threads < MOST ? (int)threads : MOST);
    }
    return thread_count;
}

int ts_threads_for(double flops)
{
    /* Ten microseconds of a fast core: about what waking another one costs. */
    const double flops_per_thread = 1e6;
    double useful = flops / flops_per_thread;
    int limit = ts_get_threads();
    return useful < 2 ? 1 : useful < limit ? (int)useful : limit;
}

/* A moment's rest in a loop that waits for another core. */
static inline void rest(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void with_denormals_flushed(ts_work work, void *context, int thread, int threads)
{
#if defined(__x86_64__)
    unsigned int mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040); /* flush results to zero, read denormals as zero */
    work(context, thread, threads);
    _mm_setcsr(mode);
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (1u << 24)));
    work(context, thread, threads);
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    work(context, thread, threads);
#endif
}

static void run(int thread)
{
    together = job.threads;
    with_denormals_flushed(job.work, job.context, thread, job.threads);
    together = 1;
}

static void wait_for_order(member *m, unsigned int done)
{
    for (int turn = 0; turn < TURNS; turn++) {
        if (atomic_load(&m->order) != done)
            return;
        sched_yield();
    }
    pthread_mutex_lock(&m->lock);
    atomic_store(&m->asleep, 1);
    while (atomic_load(&m->order) == done)
        pthread_cond_wait(&m->wake, &m->lock);
    atomic_store(&m->asleep, 0);
    pthread_mutex_unlock(&m->lock);
}

static void *member_life(void *argument)
{
    const int which = (int)(intptr_t)argument;
    member *m = team[which];
    for (unsigned int done = 0;; done++) {
        wait_for_order(m, done);
        run(which + 1);
        atomic_fetch_sub(&job.running, 1);
    }
    return NULL;
}

/* Starts members until there are `wanted`; returns how many there are. Signals are left to the
   caller's threads. */
static int grow_team(int wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (members < wanted) {
        member *m = calloc(1, sizeof *m);
        if (!m)
            break;
        pthread_mutex_init(&m->lock, NULL);
        pthread_cond_init(&m->wake, NULL);
        team[members] = m;
        if (pthread_create(&m->thread, NULL, member_life, (void *)(intptr_t)members)) {
            free(m);
            break;
        }
        pthread_detach(m->thread);
        members++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return members;
}

static void order(member *m)
{
    pthread_mutex_lock(&m->lock);
    atomic_fetch_add(&m->order, 1);
    if (atomic_load(&m->asleep))
        pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
}

void ts_parallel(int threads, ts_work work, void *context)
{
    /* While another of Python's threads has the team, this one works alone: the bits are the same. And
       so it does when the team cannot be had whole: those who ask count on all or on one. */
    int have = threads > 1 && !pthread_mutex_trylock(&busy);
    if (have && grow_team(threads - 1) < threads - 1) {
        pthread_mutex_unlock(&busy);
        have = 0;
    }
    if (!have) {
        with_denormals_flushed(work, context, 0, 1);
        return;
    }
    job.work = work;
    job.context = context;
    job.threads = threads;
    atomic_store(&job.running, threads - 1);
    atomic_store(&job.arrived, 0);
    for (int i = 0; i < threads - 1; i++)
        order(team[i]);
    run(0);
    while (atomic_load(&job.running))
        sched_yield();
    pthread_mutex_unlock(&busy);
}

void ts_barrier(void)
{
    if (together == 1)
        return;
    const unsigned int passed = atomic_load(&job.passed);
    if (atomic_fetch_add(&job.arrived, 1) + 1 == together) {
        atomic_store(&job.arrived, 0);
        atomic_fetch_add(&job.passed, 1);
    } else {
        for (int turn = 0; atomic_load(&job.passed) == passed; turn++)
            if (turn < SHORT)
                rest();
            else
                sched_yield();
    }
}
