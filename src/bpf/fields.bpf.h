/* How the programs of this folder reach into the kernel's structures.
 *
 * A program is compiled once and loaded by kernels of many versions. Where a member lies in its
 * structure is asked of the running kernel's own type information (BTF) when the program is loaded:
 * AT(type, member) is a symbol named "type.member", and the loader puts its offset in. A kernel
 * without the member refuses the program, unless it is asked for by AT_OR, whose value is then
 * MISSING; all tests of that are decided before the program runs.
 *
 * Memory is only ever read by bpf_probe_read_kernel, which gives zeros where an address is wrong
 * (copy_from_kernel_nofault of mm/maccess.c): no structure that changes underneath can do harm. */
#pragma once

#include "bpf/records.h"

typedef hark_u8 u8;
typedef hark_u16 u16;
typedef hark_u32 u32;
typedef hark_u64 u64;

#define MISSING 0x7fffffffULL
#define INLINE static inline __attribute__((always_inline))
/* A program, the first function of its file, and what it calls. The verifier walks a loop until its
 * state repeats, and what is left in registers and on the stack counts: the body of a loop is a
 * function of its own, which leaves nothing behind. */
#define PROGRAM __attribute__((section("program"), used))
#define STEP static __attribute__((section("program"), noinline))
/* Loaded where it is used: the compiler would rather carry all of them through every loop, and has
 * 512 bytes of stack for that. Weak, as the compiler must not think that an address is never zero.
 */
#define NUMBER_(name, label)                                     \
  ({                                                             \
    extern const char name __asm__(label) __attribute__((weak)); \
    u64 number;                                                  \
    __asm__ volatile("%0 = %1 ll" : "=r"(number) : "i"(&name));  \
    number;                                                      \
  })
#define AT(type, member) NUMBER_(at_##type##_##member, #type "." #member)
#define AT_OR(type, member) NUMBER_(opt_##type##_##member, #type "." #member "..optional")
/* The first bit of a bit field, in the byte that AT tells. */
#define BIT_AT(type, member) NUMBER_(bit_##type##_##member, #type "." #member "..bit")
/* A number that the loader's caller chooses. */
#define GIVEN(name) NUMBER_(given_##name, "given.." #name)
/* Memory shared with hark: an array map of one value (BPF_F_MMAPABLE). */
#define AREA(type, name) ((type*)NUMBER_(area_##name, "area.." #name))

#define kcall extern __attribute__((weak))
static long (*probe_read)(void* to, u32 size, const void* from) = (void*)113;
static long (*probe_read_text)(void* to, u32 size, const void* from) = (void*)115;

/* The number at an address, and at a member of the structure there. */
INLINE u64 read_u64(u64 address) {
  u64 value = 0;
  probe_read(&value, sizeof value, (const void*)address);
  return value;
}
INLINE u32 read_u32(u64 address) {
  u32 value = 0;
  probe_read(&value, sizeof value, (const void*)address);
  return value;
}
INLINE u16 read_u16(u64 address) {
  u16 value = 0;
  probe_read(&value, sizeof value, (const void*)address);
  return value;
}
INLINE u8 read_u8(u64 address) {
  u8 value = 0;
  probe_read(&value, sizeof value, (const void*)address);
  return value;
}
#define POINTER(from, type, member) read_u64((u64)(from) + AT(type, member))
#define INT(from, type, member) read_u32((u64)(from) + AT(type, member))

/* Counting loops that the verifier walks once, however long they are (Linux 6.4). */
struct bpf_iter_num {
  u64 opaque;
};
kcall int bpf_iter_num_new(struct bpf_iter_num* it, int begin, int end);
kcall int* bpf_iter_num_next(struct bpf_iter_num* it);
kcall void bpf_iter_num_destroy(struct bpf_iter_num* it);

/* The size of a structure. */
#define SIZE_OF(type) NUMBER_(size_##type, #type "..size")
