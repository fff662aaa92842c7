/* A call as disk-shim.c writes it down and power-cut.c reads it: this, then path, to and data. */
#ifndef EI_TESTS_FAULTS_DISK_LOG_H
#define EI_TESTS_FAULTS_DISK_LOG_H

#include <stdint.h>

struct disk_line {
    uint32_t kind;
    uint32_t path; /* bytes, without a NUL; so to */
    uint32_t to;
    uint32_t data;
    int64_t offset;
    uint8_t makes;
    uint8_t cuts;
};

#endif
