/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a main() for the fuzz targets without a fuzzing engine.
 *
 *     fuzz_TARGET FILE...               runs each file, as a corpus or an input that crashed
 *     fuzz_TARGET --random N FILE...    runs N pseudo-random inputs, always the same ones: of two one is made
 *                                       of bytes that mean something somewhere, the other is a file, changed
 *
 * An input that a target does not survive is named, or if it is random left in the file `crash-random`.
 */
#include "fuzz.h"

#include <signal.h>

enum { INPUT_MOST = 1 << 16 };

static struct {
    uint8_t bytes[INPUT_MOST];
    size_t len;
    const char *name; /* NULL: random */
} current;

static uint32_t seed = 1;

static uint32_t next_random(uint32_t below)
{
    return fuzz_random(&seed) % below;
}

/* The program is lost; so it does not matter what may be called here. */
static void crashed(int signal_number)
{
    if (current.name != NULL) {
        fprintf(stderr, "crashed with %s\n", current.name);
    } else {
        FILE *file = fopen("crash-random", "wb");
        if (file != NULL && fwrite(current.bytes, 1, current.len, file) == current.len && fclose(file) == 0)
            fprintf(stderr, "crashed with a random input, which is in crash-random\n");
    }
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

/* In memory of its size, as an engine does. */
static void run_current(void)
{
    uint8_t *copy = fuzz_copy(current.bytes, current.len);
    LLVMFuzzerTestOneInput(copy, current.len);
    free(copy);
}

static bool load(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s\n", name);
        return false;
    }
    current.len = fread(current.bytes, 1, INPUT_MOST, file);
    fclose(file);
    return true;
}

/* Short runs drawn from bytes that mean something somewhere. */
static void compose(size_t len)
{
    static const char pool[] =
        "\x81\x82\x01\x02\x80\x88\x89\x8A\x00\x7E\x7F\xFE\xFF\r\n: GET/HTP1.-x,;\xC3\xA9";
    for (size_t i = 0; i < len; i++)
        current.bytes[i] =
            next_random(4) != 0 ? (uint8_t)pool[next_random(sizeof pool - 1)] : (uint8_t)next_random(256);
    current.len = len;
}

/* One to four changes: a byte, a bit, some bytes gone, doubled or moved. */
static void change(void)
{
    for (uint32_t n = 1 + next_random(4); n != 0 && current.len != 0; n--) {
        size_t at = next_random((uint32_t)current.len), rest = current.len - at;
        size_t len = 1 + next_random(rest < 32 ? (uint32_t)rest : 32);
        switch (next_random(5)) {
        case 0:
            current.bytes[at] = (uint8_t)next_random(256);
            break;
        case 1:
            current.bytes[at] ^= (uint8_t)(1u << next_random(8));
            break;
        case 2:
            memmove(current.bytes + at, current.bytes + at + len, rest - len);
            current.len -= len;
            break;
        case 3:
            if (INPUT_MOST - current.len < len)
                break;
            memmove(current.bytes + at + len, current.bytes + at, rest);
            current.len += len;
            break;
        default:
            memmove(current.bytes + next_random((uint32_t)(current.len - len) + 1), current.bytes + at, len);
        }
    }
}

static bool replay_random(unsigned long count, char **files, uint32_t file_count)
{
    current.name = NULL;
    for (unsigned long n = 0; n < count; n++) {
        if (file_count == 0 || n % 2 == 0)
            compose(n % 300);
        else if (load(files[next_random(file_count)]))
            change();
        else
            return false;
        run_current();
    }
    printf("%lu random inputs\n", count);
    return true;
}

int main(int argc, char **argv)
{
    (void)signal(SIGABRT, crashed);
    (void)signal(SIGSEGV, crashed);
    if (argc >= 3 && strcmp(argv[1], "--random") == 0)
        return replay_random(strtoul(argv[2], NULL, 10), argv + 3, (uint32_t)argc - 3) ? 0 : 1;
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: %s FILE... | --random N [FILE]...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        current.name = argv[i];
        if (!load(argv[i]))
            return 1;
        run_current();
    }
    printf("%d files\n", argc - 1);
    return 0;
}
