#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/secret.h"
#include "common/config/config.h"
#include "common/graph/memory.h"
#include "plugin/worker/background.h"
#include "plugin/worker/carrier.h"
#include "plugin/worker/credential.h"
#include "plugin/worker/notify.h"
#include "plugin/worker/privileges.h"
#include "plugin/worker/worker.h"

/* Exit codes of entra-invited(8). systemd starts the unit again after a failure, but not with a wrong configuration. */
enum { EXIT_FAILED = 1, EXIT_BAD_USAGE = 2, EXIT_BAD_CONFIG = 6 };

static const char usage[] = "usage: entra-invited [--config FILE] [--foreground] [--debug] [--test]\n"
                            "\n"
                            "  --config FILE   the configuration (" EI_CONFIG_PATH ")\n"
                            "  --foreground    stay in the foreground and log to standard error\n"
                            "  --debug         log more\n"
                            "  --test          check configuration and credential, say what is wrong, and exit\n"
                            "  --help          this text\n"
                            "  --version       the version\n"
                            "\n"
                            "Exit status: 0 stopped when asked to, 1 failed, 2 wrong usage, 6 wrong configuration.\n";

struct arguments {
    const char *config;
    bool foreground;
    bool debug;
    bool test;
};

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"foreground", no_argument, NULL, 'f'},
        {"debug", no_argument, NULL, 'd'},
        {"test", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 'f':
            arguments->foreground = true;
            break;
        case 'd':
            arguments->debug = true;
            break;
        case 't':
            arguments->test = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'v':
            puts("entra-invited " EI_VERSION);
            return 0;
        default:
            fputs(usage, stderr);
            return EXIT_BAD_USAGE;
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return EXIT_BAD_USAGE;
    }
    return -1;
}

static void open_log(const struct arguments *arguments)
{
    enum ei_log_target target = ei_log_detect();

    if (target == EI_LOG_STDERR && !arguments->foreground && !arguments->test)
        target = EI_LOG_SYSLOG;
    ei_log_open("entra-invited", target, arguments->debug ? LOG_DEBUG : LOG_INFO);
}

/* systemd keeps it in the foreground already; a plain start leaves the terminal. */
static bool must_detach(const struct arguments *arguments)
{
    return !arguments->foreground && getenv("NOTIFY_SOCKET") == NULL && getenv("JOURNAL_STREAM") == NULL;
}

/* The last word of a process that does not go on. */
static void say_end(const char *what, const struct ei_error *err)
{
    ei_log_ending();
    ei_log_error(LOG_ERR, what, err);
}

static int run(const struct ei_config *config, struct ei_credential *credential, const struct arguments *arguments)
{
    struct ei_worker *worker = NULL;
    struct ei_error err;
    bool detach = must_detach(arguments);
    int listen_fd = ei_notify_listen_fd();
    int ready_fd = -1;

    ei_notify_open();
    if (ei_privileges_drop(config, &err) != EI_OK)
        goto failed;
    ei_secret_harden_process(); /* again: a change of user resets what makes a process dumpable */
    /* Before the scanning thread starts: it would not survive the fork. */
    if (detach && ei_background_enter(&ready_fd, &err) != EI_OK)
        goto failed;
    if (ei_worker_new(config, credential, listen_fd, &worker, &err) != EI_OK)
        goto failed;
    ei_background_ready(ready_fd);
    ei_log_event(LOG_INFO, EI_LOG_STARTED, "entra-invited " EI_VERSION " for tenant %s", config->tenant);
    enum ei_err rc = ei_worker_run(worker, &err);
    ei_worker_free(worker);
    if (rc != EI_OK)
        goto failed;
    ei_log_ending();
    ei_log(LOG_INFO, "stopped");
    return EXIT_SUCCESS;
failed:
    say_end("cannot run", &err);
    return EXIT_FAILED;
}

static int wrong_settings(const char *what, const struct ei_error *err)
{
    say_end(what, err);
    return ei_err_may_pass(err->code) ? EXIT_FAILED : EXIT_BAD_CONFIG;
}

/* EXIT_SUCCESS, or the code to end with. */
static int read_settings(const struct arguments *arguments, struct ei_config **ret_config,
                         struct ei_credential **ret_credential)
{
    struct ei_carrier *carrier = NULL;
    struct ei_error err;

    if (ei_crypto_memory_init(&err) != EI_OK) /* before the certificate and the host id use it */
        return wrong_settings("cannot run", &err);
    if (ei_config_load(arguments->config, ret_config, &err) != EI_OK ||
        ei_carrier_load(*ret_config, &carrier, &err) != EI_OK)
        return wrong_settings("configuration", &err);
    ei_carrier_free(carrier);
    ei_config_warn(*ret_config);
    if (ei_worker_credential(*ret_config, ret_credential, &err) != EI_OK ||
        (arguments->test && ei_credential_check(*ret_credential, &err) != EI_OK))
        return wrong_settings("credential", &err);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct ei_config *config = NULL;
    struct ei_credential *credential = NULL;
    int status = parse(argc, argv, &arguments);

    if (status >= 0)
        return status;
    ei_secret_harden_process();
    umask(0077);
    open_log(&arguments);
    status = read_settings(&arguments, &config, &credential);
    if (status == EXIT_SUCCESS && arguments.test)
        puts("entra-invited: configuration and credential are good");
    else if (status == EXIT_SUCCESS)
        status = run(config, credential, &arguments);
    ei_credential_free(credential);
    ei_config_free(config);
    return status;
}
