/* SPDX-License-Identifier: MIT */
/* mbedtls.c - backend: SHA-1 and base64 from mbedTLS instead of src/base/sha1.c and base64.c. */
#include "base/base64.h"
#include "base/sha1.h"

#include <mbedtls/base64.h>
#include <mbedtls/sha1.h>
#include <mbedtls/version.h>
#include <string.h>

void weiri_sha1(uint8_t text[64], uint8_t digest[20])
{
#if MBEDTLS_VERSION_MAJOR >= 3
    int rv = mbedtls_sha1(text, 60, digest);
#else
    int rv = mbedtls_sha1_ret(text, 60, digest);
#endif
    /* Only a hardware accelerator can fail; then the peer refuses the accept value. */
    if (rv != 0)
        memset(digest, 0, 20);
}

/* mbedTLS wants room for a NUL, so whole groups go straight to dst and only the last through a
 * buffer. The callers' inputs are short. */
void weiri_base64_encode(char *dst, const uint8_t *src, size_t len)
{
    while (len != 0) {
        unsigned char group[5];
        size_t n = len < 3 ? len : 3;
        size_t written;
        (void)mbedtls_base64_encode(group, sizeof group, &written, src, n);
        memcpy(dst, group, 4);
        dst += 4;
        src += n;
        len -= n;
    }
}
