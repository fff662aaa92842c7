/* The certificate: its assertion, checked by libcrypto (contract 1.2), and every file that is refused (K3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/guid.h"
#include "tests/unit/certificate_fixture.h"

static EVP_PKEY *key;
static EVP_PKEY *other_key;
static X509 *certificate;
static X509 *other_certificate;
static int64_t test_now;

static int64_t given_now(void)
{
    return test_now;
}

static int64_t given_ms(void)
{
    return test_now * 1000;
}

static int make_keys(void **state)
{
    static const struct ei_clock clock = {.now = given_now, .monotonic_ms = given_ms};

    (void)state;
    key = EVP_RSA_gen(2048);
    other_key = EVP_RSA_gen(2048);
    certificate = certificate_of(key, "entra-invite", key);
    other_certificate = certificate_of(other_key, "other", other_key);
    ei_clock_set(&clock);
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    ei_clock_set(NULL);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    X509_free(certificate);
    X509_free(other_certificate);
    return 0;
}

static int set_up(void **state)
{
    test_now = VALID_FROM + 1000;
    if (make_dir(state) != 0)
        return -1;
    put_key(in_dir("key.pem"), key, PKCS8);
    put_certificate(in_dir("certificate.pem"), certificate);
    return 0;
}

static enum ei_err open_files(const char *key_file, const char *certificate_file, const char *passphrase_file,
                              struct ei_credential **credential, struct ei_error *err)
{
    const struct ei_certificate_files files = {
        .key = in_dir(key_file),
        .certificate = in_dir(certificate_file),
        .passphrase = passphrase_file != NULL ? in_dir(passphrase_file) : NULL,
    };
    *credential = NULL;
    return ei_credential_certificate(&files, credential, err);
}

static struct ei_credential *opened(const char *key_file, const char *certificate_file, const char *passphrase_file)
{
    struct ei_credential *credential;
    struct ei_error err;

    if (open_files(key_file, certificate_file, passphrase_file, &credential, &err) != EI_OK)
        fail_msg("%s", err.message);
    return credential;
}

/* The assertion of a new request; the caller frees it. */
static char *assertion_of(struct ei_credential *credential)
{
    struct ei_token_request request;

    make_request(credential, &request);
    char *assertion = form_value(&request, "client_assertion");
    assert_non_null(assertion);
    ei_token_request_free(&request);
    return assertion;
}

static void expect_text(const cJSON *json, const char *name, const char *value)
{
    assert_non_null(ei_json_string(json, name));
    assert_string_equal(ei_json_string(json, name), value);
}

static void expect_number(const cJSON *json, const char *name, int64_t value)
{
    int64_t found = 0;

    assert_true(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(json, name)));
    assert_true(ei_json_int(json, name, &found));
    assert_int_equal(found, value);
}

/* --- what is sent --- */

static void contract_1_1_the_form(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);
    struct ei_token_request request;
    static const char *const fields[][2] = {
        {"grant_type", "client_credentials"},
        {"client_id", "99999999-8888-7777-6666-555555555555"},
        {"scope", "https://graph.microsoft.com/.default"},
        {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
    };

    (void)state;
    make_request(credential, &request);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char *value = form_value(&request, fields[i][0]);
        assert_non_null(value);
        assert_string_equal(value, fields[i][1]);
        free(value);
    }
    assert_null(form_value(&request, "client_secret"));
    assert_string_equal(request.target, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    ei_token_request_free(&request);
    ei_credential_free(credential);
}

static void contract_1_2_the_assertion(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length;
    size_t length;

    (void)state;
    char *jwt = assertion_of(credential);
    cJSON *header = jwt_part(jwt, 0);
    cJSON *claims = jwt_part(jwt, 1);
    assert_int_equal(cJSON_GetArraySize(header), 3);
    expect_text(header, "alg", "PS256");
    expect_text(header, "typ", "JWT");
    const char *thumbprint = ei_json_string(header, "x5t#S256");
    assert_non_null(thumbprint);
    unsigned char *bytes = base64url_decode(thumbprint, strlen(thumbprint), &length);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, &digest_length), 1);
    assert_int_equal(length, digest_length);
    assert_memory_equal(bytes, digest, length);
    assert_int_equal(cJSON_GetArraySize(claims), 7);
    expect_text(claims, "aud", "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
    expect_text(claims, "iss", test_app.client_id);
    expect_text(claims, "sub", test_app.client_id);
    expect_number(claims, "nbf", test_now);
    expect_number(claims, "iat", test_now);
    expect_number(claims, "exp", test_now + 600);
    assert_true(ei_guid_valid(ei_json_string(claims, "jti")));
    assert_true(jwt_signed_by(jwt, key));
    assert_false(jwt_signed_by(jwt, other_key));
    jwt[5] = (char)(jwt[5] == 'A' ? 'B' : 'A');
    assert_false(jwt_signed_by(jwt, key));
    free(bytes);
    cJSON_Delete(header);
    cJSON_Delete(claims);
    free(jwt);
    ei_credential_free(credential);
}

static void each_assertion_has_an_id_of_its_own(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);

    (void)state;
    char *first = assertion_of(credential);
    char *second = assertion_of(credential);
    cJSON *a = jwt_part(first, 1);
    cJSON *b = jwt_part(second, 1);
    assert_string_not_equal(ei_json_string(a, "jti"), ei_json_string(b, "jti"));
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(first);
    free(second);
    ei_credential_free(credential);
}

/* --- which files will do --- */

static void expect_signs(const char *key_file, const char *certificate_file, const char *passphrase_file)
{
    struct ei_credential *credential = opened(key_file, certificate_file, passphrase_file);
    char *jwt = assertion_of(credential);

    assert_true(jwt_signed_by(jwt, key));
    free(jwt);
    ei_credential_free(credential);
}

static void all_forms_of_a_key(void **state)
{
    (void)state;
    put_file(in_dir("passphrase"), 0600, PASSPHRASE "\n");
    put_key(in_dir("key.pem"), key, TRADITIONAL);
    expect_signs("key.pem", "certificate.pem", NULL);
    expect_signs("key.pem", "certificate.pem", "passphrase"); /* not needed, no harm */
    put_key(in_dir("key.pem"), key, PKCS8_ENCRYPTED);
    expect_signs("key.pem", "certificate.pem", "passphrase");
    put_key(in_dir("key.pem"), key, TRADITIONAL_ENCRYPTED);
    expect_signs("key.pem", "certificate.pem", "passphrase");
}

/* One file for both, in either order, also where the key in it is encrypted; and a chain with the leaf not first. */
static void several_things_in_one_file(void **state)
{
    static const enum key_form forms[] = {PKCS8, TRADITIONAL, PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED};

    (void)state;
    put_file(in_dir("passphrase"), 0600, PASSPHRASE);
    for (size_t i = 0; i < 2 * sizeof forms / sizeof forms[0]; i++) {
        FILE *file = new_file(in_dir("both.pem"), 0600);
        if (i % 2 == 0)
            write_key(file, key, forms[i / 2]);
        assert_int_equal(PEM_write_X509(file, other_certificate), 1);
        assert_int_equal(PEM_write_X509(file, certificate), 1);
        if (i % 2 == 1)
            write_key(file, key, forms[i / 2]);
        fclose(file);
        expect_signs("both.pem", "both.pem", "passphrase");
    }
}

static void k3_a_credential_of_systemd(void **state)
{
    struct ei_credential *credential;
    struct ei_error err;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(in_dir("key.pem"), 0440), 0);
    assert_int_equal(open_files("key.pem", "certificate.pem", NULL, &credential, &err), EI_SECRET_FILE);
    setenv("CREDENTIALS_DIRECTORY", test_dir, 1);
    expect_signs("key.pem", "certificate.pem", NULL);
    assert_int_equal(chown(in_dir("key.pem"), 0, 1), 0);
    assert_int_equal(open_files("key.pem", "certificate.pem", NULL, &credential, &err), EI_SECRET_FILE);
    assert_int_equal(chown(in_dir("key.pem"), 0, 0), 0);
    assert_int_equal(chmod(in_dir("key.pem"), 0444), 0);
    assert_int_equal(open_files("key.pem", "certificate.pem", NULL, &credential, &err), EI_SECRET_FILE);
    unsetenv("CREDENTIALS_DIRECTORY");
}

/* --- which will not --- */

static void expect_refused(const char *key_file, const char *certificate_file, const char *passphrase_file,
                           enum ei_err code, const char *file, const char *saying)
{
    struct ei_credential *credential;
    struct ei_error err;
    enum ei_err rc = open_files(key_file, certificate_file, passphrase_file, &credential, &err);

    if (rc != code || strncmp(err.message, in_dir(file), strlen(in_dir(file))) != 0 ||
        strstr(err.message, saying) == NULL)
        fail_msg("expected %s, \"%s: … %s\", got %s: %s", ei_err_name(code), file, saying, ei_err_name(rc),
                 err.message);
    assert_null(credential);
    assert_null(strstr(err.message, "horse"));
}

static void keys_that_are_refused(void **state)
{
    EVP_PKEY *small = EVP_RSA_gen(1024);
    EVP_PKEY *curve = EVP_EC_gen("P-256");

    (void)state;
    expect_refused("none.pem", "certificate.pem", NULL, EI_SECRET_FILE, "none.pem", "No such file");
    put_key(in_dir("small.pem"), small, PKCS8);
    expect_refused("small.pem", "certificate.pem", NULL, EI_CERTIFICATE_FILE, "small.pem", "1024 bits");
    put_key(in_dir("curve.pem"), curve, PKCS8);
    expect_refused("curve.pem", "certificate.pem", NULL, EI_CERTIFICATE_FILE, "curve.pem", "not an RSA key");
    put_key(in_dir("other.pem"), other_key, PKCS8);
    expect_refused("other.pem", "certificate.pem", NULL, EI_CERTIFICATE_FILE, "certificate.pem", "was not made for");
    put_file(in_dir("text.pem"), 0600, "client secret");
    expect_refused("text.pem", "certificate.pem", NULL, EI_CERTIFICATE_FILE, "text.pem", "no private key in PEM");
    assert_int_equal(chmod(in_dir("key.pem"), 0640), 0);
    expect_refused("key.pem", "certificate.pem", NULL, EI_SECRET_FILE, "key.pem", "mode 0640");
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
}

/* Cut and damaged keys and certificates: an error, whatever is left of them. */
static void damaged_files(void **state)
{
    static const char *const names[] = {"key.pem", "certificate.pem"};
    struct ei_credential *credential;
    struct ei_error err;
    char text[8192];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(in_dir(names[i]), "re");
        size_t length = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        for (size_t keep = 0; keep < length - 2; keep += 97) {
            file = new_file(in_dir(names[i]), 0600);
            assert_int_equal(fwrite(text, 1, keep, file), keep);
            fclose(file);
            enum ei_err rc = open_files("key.pem", "certificate.pem", NULL, &credential, &err);
            assert_true(rc == EI_CERTIFICATE_FILE || (keep == 0 && rc == EI_SECRET_FILE));
        }
        file = new_file(in_dir(names[i]), 0600);
        assert_int_equal(fwrite(text, 1, length, file), length);
        fclose(file);
    }
    expect_signs("key.pem", "certificate.pem", NULL);
}

static void encrypted_keys(void **state)
{
    static const enum key_form forms[] = {PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED};
    static char long_text[2000];

    (void)state;
    put_file(in_dir("wrong"), 0600, "wrong horse");
    put_file(in_dir("open"), 0644, PASSPHRASE);
    memset(long_text, 'x', sizeof long_text - 1);
    put_file(in_dir("long"), 0600, long_text);
    for (size_t i = 0; i < 2; i++) {
        put_key(in_dir("key.pem"), key, forms[i]);
        expect_refused("key.pem", "certificate.pem", NULL, EI_KEY_ENCRYPTED, "key.pem", "passphrase_name is not set");
        expect_refused("key.pem", "certificate.pem", "wrong", EI_KEY_ENCRYPTED, "key.pem", "does not open");
        expect_refused("key.pem", "certificate.pem", "long", EI_KEY_ENCRYPTED, "long", "longer than any");
        expect_refused("key.pem", "certificate.pem", "open", EI_SECRET_FILE, "open", "mode 0644");
        expect_refused("key.pem", "certificate.pem", "none", EI_SECRET_FILE, "none", "No such file");
    }
    assert_non_null(strstr(ei_err_mend(EI_KEY_ENCRYPTED), "LoadCredential"));
}

static void certificates_that_are_refused(void **state)
{
    (void)state;
    expect_refused("key.pem", "none.pem", NULL, EI_CERTIFICATE_FILE, "none.pem", "No such file");
    expect_refused("key.pem", "key.pem", NULL, EI_CERTIFICATE_FILE, "key.pem", "no certificate in PEM");
    put_certificate(in_dir("other.pem"), other_certificate);
    expect_refused("key.pem", "other.pem", NULL, EI_CERTIFICATE_FILE, "other.pem", "was not made for");
    assert_int_equal(chmod(in_dir("certificate.pem"), 0664), 0);
    expect_refused("key.pem", "certificate.pem", NULL, EI_CERTIFICATE_FILE, "certificate.pem", "mode 0664");
    FILE *file = new_file(in_dir("large.pem"), 0644);
    for (int i = 0; i < 70 * 1024; i++)
        fputc('x', file);
    fclose(file);
    expect_refused("key.pem", "large.pem", NULL, EI_CERTIFICATE_FILE, "large.pem", "larger than");
    expect_refused("key.pem", "", NULL, EI_CERTIFICATE_FILE, "", "not a regular file");
}

/* --- while it is used --- */

static void dates(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);
    struct ei_error err;

    (void)state;
    assert_int_equal(ei_credential_expires(credential), VALID_FROM + YEAR);
    assert_int_equal(ei_credential_check(credential, &err), EI_OK);
    test_now = VALID_FROM - 1;
    assert_int_equal(ei_credential_check(credential, &err), EI_CERTIFICATE_EARLY);
    assert_non_null(strstr(err.message, "not valid before 2026-01-01T00:00:00Z, and here it is 2025-12-31T23:59:59Z"));
    assert_int_equal(request_fails(credential, &err), EI_CERTIFICATE_EARLY);
    test_now = VALID_FROM + YEAR;
    assert_int_equal(ei_credential_check(credential, &err), EI_OK);
    test_now++;
    assert_int_equal(ei_credential_check(credential, &err), EI_CERTIFICATE_EXPIRED);
    assert_non_null(strstr(err.message, "expired at 2027-01-01T00:00:00Z"));
    assert_int_equal(request_fails(credential, &err), EI_CERTIFICATE_EXPIRED);
    assert_int_equal(ei_err_fault(EI_CERTIFICATE_EXPIRED), EI_FAULT_TENANT);
    ei_credential_free(credential);
}

static void reload_takes_both_files_or_none(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);
    struct ei_error err;

    (void)state;
    put_key(in_dir("key.pem"), other_key, PKCS8);
    assert_int_equal(ei_credential_reload(credential, &err), EI_CERTIFICATE_FILE); /* half of it */
    char *jwt = assertion_of(credential);
    assert_true(jwt_signed_by(jwt, key));
    free(jwt);
    put_certificate(in_dir("certificate.pem"), other_certificate);
    assert_int_equal(ei_credential_reload(credential, &err), EI_OK);
    jwt = assertion_of(credential);
    assert_true(jwt_signed_by(jwt, other_key));
    free(jwt);
    ei_credential_free(credential);
}

/* At the least p, q and what belongs to them: as many bytes again as half the key, five times. */
static void k4_the_private_numbers_are_in_locked_memory(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);
    size_t used = CRYPTO_secure_used();

    (void)state;
    assert_true(used >= 5 * 128);
    struct ei_credential *second = opened("key.pem", "certificate.pem", NULL);
    assert_true(CRYPTO_secure_used() >= used + 5 * 128);
    ei_credential_free(second);
    assert_int_equal(CRYPTO_secure_used(), used);
    ei_credential_free(credential);
}

static void a_plain_refusal_is_the_certificates(void **state)
{
    struct ei_credential *credential = opened("key.pem", "certificate.pem", NULL);
    struct ei_graph_result result = {.error.code = EI_SECRET_WRONG};

    (void)state;
    assert_false(credential->type->refused(credential, &result, ""));
    assert_int_equal(result.error.code, EI_ASSERTION_REFUSED);
    result.error.code = EI_TENANT_UNKNOWN;
    assert_false(credential->type->refused(credential, &result, ""));
    assert_int_equal(result.error.code, EI_TENANT_UNKNOWN);
    ei_credential_free(credential);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, remove_dir)
    const struct CMUnitTest tests[] = {
        T(contract_1_1_the_form),
        T(contract_1_2_the_assertion),
        T(each_assertion_has_an_id_of_its_own),
        T(all_forms_of_a_key),
        T(several_things_in_one_file),
        T(k3_a_credential_of_systemd),
        T(keys_that_are_refused),
        T(damaged_files),
        T(encrypted_keys),
        T(certificates_that_are_refused),
        T(dates),
        T(reload_takes_both_files_or_none),
        T(k4_the_private_numbers_are_in_locked_memory),
        T(a_plain_refusal_is_the_certificates),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
