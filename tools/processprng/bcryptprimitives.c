/* bcryptprimitives.dll for a Wine that has none (observed: Wine 8.0): its one export that Rust's standard library uses. */
#include <stddef.h>

#define CHUNK 0x10000000u

__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length); /* RtlGenRandom */

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buffer, size_t length)
{
    while (length) {
        unsigned long part = length < CHUNK ? (unsigned long)length : CHUNK;
        if (!SystemFunction036(buffer, part)) return 0;
        buffer += part;
        length -= part;
    }
    return 1;
}

int __stdcall DllMain(void *module, unsigned long reason, void *reserved)
{
    (void)module, (void)reason, (void)reserved;
    return 1;
}
