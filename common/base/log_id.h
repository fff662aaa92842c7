/*
 * The kinds of messages that the journal knows by a MESSAGE_ID: for ever, since people write filters and alerts on
 * them. Each has its entry in conf/systemd/entra-invite.catalog and its row in entra-invited(8), which tests check.
 */
#ifndef EI_BASE_LOG_ID_H
#define EI_BASE_LOG_ID_H

/* Behind EI_LOG_: name, MESSAGE_ID */
#define EI_LOG_IDS(X)                                                                                                  \
    /* one account */                                                                                                  \
    X(INVITED, "f37009ef7baa49f58459ea6c8d3daa5b")                                                                     \
    X(MAILED, "4a9d5ea331df46e6a1544ba64046c01b")                                                                      \
    X(MAIL_REFUSED, "02ef5e7a1ddd44ab9024eec9eb459c15")                                                                \
    X(EXPIRED, "b0b7a5a6c2f94d0d8a3f5be2a1d3c7e4")                                                                     \
    X(ACCEPTED, "49124fa1740746d4be972a7d1237c6df")                                                                    \
    X(FAILED, "ae08dd2952bb466194ee78229b67d5ab")                                                                      \
    X(NO_ADDRESS, "46b075befcc7461baf93792f70eedf2d")                                                                  \
    X(ADDRESS_LOST, "22fa0cc357794c8cbf0039a370fe11a1")                                                                \
    X(ACCOUNT_RENAMED, "763d0f0cd9374774a1ca43bd513ae39c")                                                             \
    X(ACCOUNT_GONE, "3b0a7458f76142528350111c6feb32ef")                                                                \
    X(DELAYED, "56c8502d87444952a04dbc23e5cce28b")                                                                     \
    X(OFFBOARDED, "84262b2de6bc42f381ab3bfb29d10c75")                                                                  \
    X(RESTORED, "bcc41620deea45afa0db53720a4069a4")                                                                    \
    X(GUEST_KEPT, "bd7bfdc099484aac9fbd5503b5849def")                                                                  \
    X(NOT_RESET, "7182abff0eef4ec49863c4dddee2de07")                                                                   \
    X(SPONSORS, "4ef1a55acd3547818e2e50de0dbf3ba2")                                                                    \
    X(GROUP_JOINED, "91cde4c9d5a34c698b795804d291ce65")                                                                \
    /* the tenant and the way there */                                                                                 \
    X(REQUEST, "93a1ea80b1c54e60b8e2a5710085d23e")                                                                     \
    X(GROUP_REFUSED, "a8886869f0c34360b7092c63e57e62d4")                                                               \
    X(CHANNEL_PAUSED, "5d1c0f2e9a8b4c66b7f3e0d4a59c1e82")                                                              \
    X(CHANNEL_AGAIN, "c7e2b9d4f1a34e5f8c60a7b3d2915fe0")                                                               \
    X(BLOCKED, "f3b093296ec745bca52c17717116b6e2")                                                                     \
    X(UNREACHABLE, "ded04ebe6f7940dfab87352775414c4f")                                                                 \
    X(ANSWERS_AGAIN, "d9922376bff646f0a14e8170e734c85a")                                                               \
    X(READS_DENIED, "0c232ec9ec464fd89db47fe44e93baa6")                                                                \
    X(CREDENTIAL_ENDS, "69cba766774f4393baa156b3456b14f1")                                                             \
    X(CREDENTIAL_KEPT, "cef68950df6644798969128efd50d047")                                                             \
    X(SIGNED_IN, "4e86de3495894fe9b037bf0410320512")                                                                   \
    X(SIGN_IN_FAILED, "f9850f9a25e749bcb045b3119facf34e")                                                              \
    /* this host */                                                                                                    \
    X(STARTED, "6e54b635aae24d969c201e49d68decbd")                                                                     \
    X(CONFIG_READ, "bdf92cf0ef5947b09b4f95d4f3c4b884")                                                                 \
    X(CONFIG_REFUSED, "0d272bcc92c74d4a89aca3e01d17fdc0")                                                              \
    X(STORE_FAILED, "a383fd794e3345b98cd76fc6dafe983d")                                                                \
    X(VIEW_FAILED, "907b45cf0ba044c48b26e3ad7f660345")                                                                 \
    X(DISK_AGAIN, "03f4fff59762401db18c16d942e4df4b")                                                                  \
    X(METRICS_FAILED, "fccde3efe25343ab9dd028d4309e0fdf")                                                              \
    X(ACCOUNTS_DOUBTFUL, "0e7b381e64814797871683586aa4dade")                                                           \
    X(ACCOUNTS_WAIT, "ce2afeb973d24843a39d9e913f146e10")                                                               \
    X(ACCOUNTS_HELD, "87709767af0848fcb1c2c5ec73a1a1c2")                                                               \
    X(REMOVALS_HELD, "3b3c4060518f42fd9f5fc967175b98be")                                                               \
    X(MAIL_HELD, "0e5fe2ce922145559220eca8011260bc")

enum ei_log_id {
    EI_LOG_PLAIN, /* of no kind that has an id */
#define EI_LOG_ID_ENUM(name, id) EI_LOG_##name,
    EI_LOG_IDS(EI_LOG_ID_ENUM)
#undef EI_LOG_ID_ENUM
        EI_LOG_ID_COUNT
};

/* 32 hexadecimal digits; NULL for EI_LOG_PLAIN. */
const char *ei_log_message_id(enum ei_log_id id);

#endif
