#include "common/graph/memory.h"

#include <curl/curl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void free_erased(void *memory)
{
    if (memory != NULL) {
        explicit_bzero(memory, malloc_usable_size(memory));
        free(memory);
    }
}

/* realloc would free the old place by itself, content and all. */
static void *realloc_erased(void *memory, size_t size)
{
    void *moved = malloc(size);

    if (moved != NULL && memory != NULL) {
        size_t old = malloc_usable_size(memory);
        memcpy(moved, memory, old < size ? old : size);
        free_erased(memory);
    }
    return moved;
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size != 0 ? malloc(size) : NULL;
}

static void *crypto_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size != 0)
        return realloc_erased(memory, size);
    free_erased(memory);
    return NULL;
}

static void crypto_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free_erased(memory);
}

enum ei_err ei_crypto_memory_init(struct ei_error *err)
{
    (void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
    /* Where libcrypto 3.0 has no memory for this, its functions go on all the same, with a null pointer. */
    return OSSL_LIB_CTX_get0_global_default() != NULL ? EI_OK : ei_fail(err, EI_NOMEM, "no memory for libcrypto");
}

bool ei_graph_memory_init(void)
{
    return ei_crypto_memory_init(NULL) == EI_OK && /* what TLS carried lies in OpenSSL's buffers */
           curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free_erased, realloc_erased, strdup, calloc) == CURLE_OK;
}

/* Without recursion: the depth is the sender's choice. */
static const cJSON *next_item(const cJSON *item, const cJSON **parents, size_t *depth, size_t room)
{
    if (item->child != NULL && *depth < room) {
        parents[(*depth)++] = item;
        return item->child;
    }
    while (item != NULL && item->next == NULL)
        item = *depth > 0 ? parents[--*depth] : NULL;
    return item != NULL ? item->next : NULL;
}

void ei_graph_json_free(cJSON *value)
{
    enum { ROOM = 66 }; /* ei_json_parse allows 64 levels */
    const cJSON *parents[ROOM];
    size_t depth = 0;

    for (const cJSON *item = value; item != NULL; item = next_item(item, parents, &depth, ROOM))
        if (item->valuestring != NULL)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
    cJSON_Delete(value);
}
