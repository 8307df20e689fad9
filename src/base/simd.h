/* SPDX-License-Identifier: MIT */
/*
 * simd.h - floor 1: which vector instructions may be used.
 *
 * What the compiler's target has anyway (SSE2 on x86-64, NEON on AArch64) is chosen when weir is built. AVX2
 * and AVX-512 are chosen at run time, by what the compiler's own runtime found out about the processor: weir
 * keeps no state for it. Each such function stands beside a portable one that does the same, and is worth its
 * call only for some length. WEIR_SIMD fixes the choice: 0 leaves portable C only, 1 what the target has, as
 * does a build without a C library, 2 all but AVX-512, 3 all.
 */
#ifndef WEIRI_SIMD_H
#define WEIRI_SIMD_H

#include <stdbool.h>

#ifndef WEIR_SIMD
#define WEIR_SIMD 3
#endif

#if WEIR_SIMD >= 1 && defined(__SSE2__)
#define WEIRI_SSE2
#include <emmintrin.h>
#include <stdint.h>

static inline __m128i weiri_load16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}
#endif

#if WEIR_SIMD >= 1 && defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#define WEIRI_NEON
#include <arm_neon.h>
#endif

#if WEIR_SIMD >= 2 && defined(WEIRI_SSE2) && defined(__x86_64__) && defined(__GNUC__) && __STDC_HOSTED__
#define WEIRI_AVX2
#define WEIRI_TARGET_AVX2 __attribute__((target("avx2")))

static inline bool weiri_has_avx2(void)
{
#if defined(__AVX2__)
    return true;
#else
    return __builtin_cpu_supports("avx2");
#endif
}
#endif

/* AVX-512, on processors that do not lower their clock for it: those that have VBMI2, and with it all that is
 * used here. */
#if WEIR_SIMD >= 3 && defined(WEIRI_AVX2)
#define WEIRI_AVX512
#define WEIRI_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,bmi")))

static inline bool weiri_has_avx512(void)
{
#if defined(__AVX512VBMI2__)
    return true;
#else
    return __builtin_cpu_supports("avx512vbmi2");
#endif
}
#endif

/* Not all compilers can ask the processor for SHA. */
#if defined(__clang__)
#define WEIRI_ASKS_FOR_SHA (__clang_major__ >= 19)
#else
#define WEIRI_ASKS_FOR_SHA (__GNUC__ >= 11)
#endif
#if defined(WEIRI_AVX2) && (defined(__SHA__) || WEIRI_ASKS_FOR_SHA)
#define WEIRI_SHA
#define WEIRI_TARGET_SHA __attribute__((target("sha,ssse3")))

static inline bool weiri_has_sha(void)
{
#if defined(__SHA__)
    return true;
#else
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("ssse3");
#endif
}
#endif

#endif
