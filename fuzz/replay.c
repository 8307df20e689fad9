/* SPDX-License-Identifier: MIT */
/* replay.c - a main() for the fuzz targets without libFuzzer: runs each file named on the command line,
 * or, with `--random N`, N pseudo-random inputs (always the same ones). */
#include "fuzz.h"

static void replay_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    uint8_t *bytes = malloc(1 << 20);
    FUZZ_REQUIRE(file != NULL && bytes != NULL);
    size_t len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
}

/* Streams that are mostly plausible: short runs drawn from bytes that mean something somewhere. */
static void replay_random(unsigned long count)
{
    static const char pool[] =
        "\x81\x82\x01\x02\x80\x88\x89\x8A\x00\x7E\x7F\xFE\xFF\r\n: GET/HTP1.-x,;\xC3\xA9";
    uint32_t seed = 1;
    for (unsigned long n = 0; n < count; n++) {
        uint8_t bytes[256];
        size_t len = 2 + n % (sizeof bytes - 2);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (seed >> 12 & 3) != 0 ? (uint8_t)pool[(seed >> 16) % (sizeof pool - 1)]
                                             : (uint8_t)(seed >> 16);
        }
        LLVMFuzzerTestOneInput(bytes, len);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--random") == 0) {
        replay_random(strtoul(argv[2], NULL, 10));
        printf("%s inputs\n", argv[2]);
        return 0;
    }
    for (int i = 1; i < argc; i++)
        replay_file(argv[i]);
    printf("%d files\n", argc - 1);
    return 0;
}
