#include "common/graph/keypair.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/secret.h"
#include "common/base/service_user.h"
#include "common/graph/memory.h"

enum {
    KEY_BITS_MIN = 2048,
    CERTIFICATE_MAX = 64 * 1024, /* bytes of the file: a chain */
    SECURE_HEAP = 128 * 1024,    /* some twenty of the largest keys; libcrypto does not fall back when it is full */
    SECURE_HEAP_PIECE = 32,
};

/* Numbers of private keys come to lie in locked memory that no core dump has, and whatever libcrypto frees is erased
 * first (K4). That works only as long as libcrypto was not used by the process; later calls change nothing. */
static enum ei_err protect_memory(struct ei_error *err)
{
    enum ei_err rc = ei_crypto_memory_init(err);
    if (CRYPTO_secure_malloc_initialized() == 0)
        (void)CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_HEAP_PIECE);
    return rc;
}

/* --- the private key --- */

struct passphrase {
    const struct ei_secret *secret; /* NULL: there is none */
    bool asked;
    bool too_long;
};

/* Without one of our own, libcrypto would ask at the terminal. */
static int give_passphrase(char *out, int size, int writing, void *context)
{
    struct passphrase *passphrase = context;

    (void)writing;
    passphrase->asked = true;
    if (passphrase->secret == NULL)
        return -1;
    if (passphrase->secret->length > (size_t)size) {
        passphrase->too_long = true;
        return -1;
    }
    memcpy(out, passphrase->secret->data, passphrase->secret->length);
    return (int)passphrase->secret->length;
}

static enum ei_err no_key(const char *path, const char *passphrase_path, const struct passphrase *passphrase,
                          struct ei_error *err)
{
    if (passphrase->too_long)
        return ei_fail(err, EI_KEY_ENCRYPTED, "%s: the passphrase is longer than any that libcrypto takes",
                       passphrase_path);
    if (passphrase->asked && passphrase->secret != NULL)
        return ei_fail(err, EI_KEY_ENCRYPTED, "%s: the passphrase in %s does not open this private key", path,
                       passphrase_path);
    if (passphrase->asked)
        return ei_fail(err, EI_KEY_ENCRYPTED, "%s: the private key is encrypted, and passphrase_name is not set", path);
    return ei_fail(err, EI_CERTIFICATE_FILE, "%s: holds no private key in PEM that can be read", path);
}

static enum ei_err parse_key(const struct ei_certificate_files *files, const struct ei_secret *text,
                             const struct ei_secret *passphrase_text, EVP_PKEY **ret_key, struct ei_error *err)
{
    struct passphrase passphrase = {.secret = passphrase_text};
    BIO *bio = BIO_new_mem_buf(text->data, (int)text->length);

    if (bio == NULL)
        return ei_fail(err, EI_NOMEM, "%s: no memory to read it", files->key);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
    BIO_free(bio);
    ERR_clear_error();
    if (key == NULL)
        return no_key(files->key, files->passphrase, &passphrase, err);
    *ret_key = key;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return ei_fail(err, EI_CERTIFICATE_FILE, "%s: the private key is not an RSA key; Microsoft takes no other",
                       files->key);
    if (EVP_PKEY_get_bits(key) < KEY_BITS_MIN)
        return ei_fail(err, EI_CERTIFICATE_FILE, "%s: the RSA key has %d bits; it must have %d or more", files->key,
                       EVP_PKEY_get_bits(key), KEY_BITS_MIN);
    return EI_OK;
}

static enum ei_err load_key(const struct ei_certificate_files *files, EVP_PKEY **ret_key, struct ei_error *err)
{
    struct ei_secret text = {0};
    struct ei_secret passphrase = {0};
    enum ei_err rc = ei_secret_read_file(files->key, &text, err);

    if (rc == EI_OK && files->passphrase != NULL)
        rc = ei_secret_read_file(files->passphrase, &passphrase, err);
    if (rc == EI_OK)
        rc = parse_key(files, &text, files->passphrase != NULL ? &passphrase : NULL, ret_key, err);
    ei_secret_free(&text);
    ei_secret_free(&passphrase);
    return rc;
}

/* --- the certificate --- */

/* Public, so anybody may read it; but whoever can write it can stop the worker. */
static enum ei_err check_file(const char *path, int fd, struct ei_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return ei_fail_file(err, EI_CERTIFICATE_FILE, path);
    if (!S_ISREG(st.st_mode))
        return ei_fail(err, EI_CERTIFICATE_FILE, "%s: not a regular file", path);
    if (!ei_uid_trusted(st.st_uid))
        return ei_fail(err, EI_CERTIFICATE_FILE, "%s: owned by uid %u, not by root or entra-invite", path, st.st_uid);
    if ((st.st_mode & 0022) != 0)
        return ei_fail(err, EI_CERTIFICATE_FILE, "%s: mode %04o lets group or others write; chmod go-w it", path,
                       st.st_mode & 07777);
    return EI_OK;
}

/* Erased with the buffer: the private key may be in the same file. */
static enum ei_err read_certificate_file(const char *path, struct ei_buffer *text, struct ei_error *err)
{
    char chunk[4096];
    ssize_t count = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return ei_fail_file(err, EI_CERTIFICATE_FILE, path);
    enum ei_err rc = check_file(path, fd, err);
    while (rc == EI_OK && (count = read(fd, chunk, sizeof chunk)) > 0)
        if (!ei_buffer_append(text, chunk, (size_t)count))
            rc = ei_fail(err, EI_CERTIFICATE_FILE, "%s: larger than %d bytes, which no certificate is", path,
                         CERTIFICATE_MAX);
    if (rc == EI_OK && count < 0)
        rc = ei_fail_file(err, EI_CERTIFICATE_FILE, path);
    explicit_bzero(chunk, sizeof chunk);
    close(fd);
    return rc;
}

/* The first certificate in the text that was made for the key; *ret_count: how many there are up to it. */
static X509 *find_certificate(const struct ei_buffer *text, EVP_PKEY *key, unsigned *ret_count)
{
    struct passphrase none = {0};
    X509 *found = NULL;
    X509 *certificate;
    BIO *bio = BIO_new_mem_buf(text->data != NULL ? text->data : "", (int)text->length);

    *ret_count = 0;
    while (bio != NULL && found == NULL &&
           (certificate = PEM_read_bio_X509(bio, NULL, give_passphrase, &none)) != NULL) {
        ++*ret_count;
        if (X509_check_private_key(certificate, key) == 1)
            found = certificate;
        else
            X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return found;
}

bool ei_certificate_time(const ASN1_TIME *time, int64_t *ret_time)
{
    struct tm parts;

    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *ret_time = timegm(&parts);
    return true;
}

static enum ei_err load_certificate(const struct ei_certificate_files *files, struct ei_keypair *pair,
                                    struct ei_error *err)
{
    struct ei_buffer text;
    unsigned count = 0;
    X509 *certificate = NULL;

    ei_buffer_init(&text, CERTIFICATE_MAX);
    enum ei_err rc = read_certificate_file(files->certificate, &text, err);
    if (rc == EI_OK)
        certificate = find_certificate(&text, pair->key, &count);
    if (rc == EI_OK && count == 0)
        rc = ei_fail(err, EI_CERTIFICATE_FILE, "%s: holds no certificate in PEM that can be read", files->certificate);
    else if (rc == EI_OK && certificate == NULL)
        rc = ei_fail(err, EI_CERTIFICATE_FILE, "%s: the certificate was not made for the private key in %s",
                     files->certificate, files->key);
    if (rc == EI_OK)
        rc = ei_assertion_thumbprint(certificate, pair->thumbprint, err);
    if (rc == EI_OK && (!ei_certificate_time(X509_get0_notBefore(certificate), &pair->not_before) ||
                        !ei_certificate_time(X509_get0_notAfter(certificate), &pair->not_after)))
        rc = ei_fail(err, EI_CERTIFICATE_FILE, "%s: the certificate's dates make no sense", files->certificate);
    X509_free(certificate);
    ei_buffer_free(&text);
    return rc;
}

enum ei_err ei_keypair_load(const struct ei_certificate_files *files, struct ei_keypair *ret_pair, struct ei_error *err)
{
    struct ei_keypair pair = {0};

    enum ei_err rc = protect_memory(err);
    if (rc == EI_OK)
        rc = load_key(files, &pair.key, err);
    if (rc == EI_OK)
        rc = load_certificate(files, &pair, err);
    if (rc != EI_OK) {
        ei_keypair_free(&pair);
        return rc;
    }
    *ret_pair = pair;
    return EI_OK;
}

void ei_keypair_free(struct ei_keypair *pair)
{
    EVP_PKEY_free(pair->key);
    *pair = (struct ei_keypair){0};
}
