#include "common/base/buffer.h"

#include <stdlib.h>
#include <string.h>

void ei_buffer_init(struct ei_buffer *buffer, size_t limit)
{
    *buffer = (struct ei_buffer){.limit = limit};
}

/* realloc would leave the old copy of a secret in freed memory, so growth copies and erases. */
static bool grow(struct ei_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity != 0 ? buffer->capacity : 512;
    while (capacity < needed)
        capacity *= 2;
    if (capacity - 1 > buffer->limit)
        capacity = buffer->limit + 1;
    char *data = malloc(capacity);
    if (data == NULL) {
        buffer->starved = true;
        return false;
    }
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->length + 1);
        explicit_bzero(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool ei_buffer_append(struct ei_buffer *buffer, const void *data, size_t length)
{
    if (length > buffer->limit || buffer->length > buffer->limit - length)
        return false;
    size_t needed = buffer->length + length + 1;
    if (needed > buffer->capacity && !grow(buffer, needed))
        return false;
    if (length != 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return true;
}

bool ei_buffer_append_text(struct ei_buffer *buffer, const char *text)
{
    return ei_buffer_append(buffer, text, strlen(text));
}

void ei_buffer_consume(struct ei_buffer *buffer, size_t count)
{
    if (count == 0)
        return;
    if (count > buffer->length)
        count = buffer->length;
    memmove(buffer->data, buffer->data + count, buffer->length - count + 1);
    buffer->length -= count;
}

void ei_buffer_free(struct ei_buffer *buffer)
{
    if (buffer->data != NULL) {
        explicit_bzero(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    buffer->data = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
    buffer->starved = false;
}
