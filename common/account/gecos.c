#include "common/account/gecos.h"

#include <string.h>

/* A run of bytes inside somebody else's text. */
struct span {
    const char *at;
    size_t length;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
    while (s.length > 0 && blank(s.at[0])) {
        s.at++;
        s.length--;
    }
    while (s.length > 0 && blank(s.at[s.length - 1]))
        s.length--;
    return s;
}

/* The comma-separated part of this number, counted from 0; empty if there are fewer (adduser pads with ",,,"). */
static struct span part(const char *gecos, int number)
{
    for (; number > 0; number--) {
        gecos = strchr(gecos, ',');
        if (gecos == NULL)
            return (struct span){"", 0};
        gecos++;
    }
    return trim((struct span){gecos, strcspn(gecos, ",")});
}

static const char *find(struct span s, char c)
{
    return memchr(s.at, c, s.length);
}

/*
 * What the first part says: the text between `<` and a `>` that ends the part, or the whole part if it holds an '@'.
 * Brackets that do not close, nest or repeat stay in what is returned, so that the address check refuses and shows
 * them: a guess at what was meant could invite the wrong person (S14).
 */
static struct span first_address(struct span s)
{
    const char *open = find(s, '<'), *close = find(s, '>');

    if (open != NULL && close == s.at + s.length - 1) {
        struct span inner = {open + 1, (size_t)(close - open) - 1};
        if (find(inner, '<') == NULL)
            return trim(inner);
    }
    return find(s, '@') != NULL ? s : (struct span){"", 0};
}

bool ei_gecos_address(const char *gecos, bool trust_first, char address[EI_ADDRESS_SIZE])
{
    static const char key[] = "mail=";
    struct span found = {"", 0};
    struct span other = part(gecos, 4);

    address[0] = '\0';
    if (other.length > strlen(key) && strncmp(other.at, key, strlen(key)) == 0)
        found = trim((struct span){other.at + strlen(key), other.length - strlen(key)});
    if (found.length == 0 && trust_first)
        found = first_address(part(gecos, 0));
    if (found.length == 0 || found.length >= EI_ADDRESS_SIZE)
        return false;
    memcpy(address, found.at, found.length);
    address[found.length] = '\0';
    return true;
}

/* One line of login.defs, as shadow's own reader takes it: no comment may follow a value, quotes are dropped. */
static bool line_trusts(struct span line)
{
    static const char key[] = "CHFN_RESTRICT";

    line = trim(line);
    if (line.length <= strlen(key) || strncmp(line.at, key, strlen(key)) != 0)
        return true;
    struct span value = {line.at + strlen(key), line.length - strlen(key)};
    if (!blank(value.at[0]))
        return true;
    while (value.length > 0 && (blank(value.at[0]) || value.at[0] == '"')) {
        value.at++;
        value.length--;
    }
    const char *quote = find(value, '"');
    if (quote != NULL)
        value.length = (size_t)(quote - value.at);

    /* "yes" means rwh, "no" means frwh (login.defs(5)); a value with other letters is searched for f as chfn does. */
    if (value.length == 2 && strncmp(value.at, "no", 2) == 0)
        return false;
    return find(value, 'f') == NULL;
}

bool ei_gecos_first_trusted(const char *login_defs)
{
    while (*login_defs != '\0') {
        size_t length = strcspn(login_defs, "\n");
        if (!line_trusts((struct span){login_defs, length}))
            return false;
        login_defs += length;
        if (*login_defs == '\n')
            login_defs++;
    }
    return true;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ei_address_fold(const char *in, char *out, size_t size)
{
    size_t length = strlen(in);

    if (size == 0)
        return false;
    if (length >= size) {
        out[0] = '\0';
        return false;
    }
    for (size_t i = 0; i <= length; i++)
        out[i] = fold(in[i]);
    return true;
}

uint64_t ei_address_hash(const char *address)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *address != '\0'; address++) {
        hash ^= (unsigned char)fold(*address);
        hash *= 0x100000001b3u;
    }
    return hash != 0 ? hash : 1; /* GCOVR_EXCL_BR_LINE: nobody knows an address whose hash is 0 */
}
