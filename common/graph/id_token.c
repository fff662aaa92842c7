#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/graph/errors.h"
#include "common/graph/jwt.h"
#include "common/graph/memory.h"
#include "common/graph/sign_in.h"

/* aud is one text or an array of them. */
static bool is_for(const cJSON *claims, const char *client_id)
{
    const char *one = ei_json_string(claims, "aud");
    const cJSON *item;

    if (one != NULL)
        return strcasecmp(one, client_id) == 0;
    cJSON_ArrayForEach(item, ei_json_array(claims, "aud"))
    {
        const char *text = cJSON_GetStringValue(item);
        if (text != NULL && strcasecmp(text, client_id) == 0)
            return true;
    }
    return false;
}

static void copy_id(char out[EI_GUID_TEXT], const char *id)
{
    if (id != NULL && ei_guid_valid(id))
        memcpy(out, id, EI_GUID_TEXT);
}

enum ei_err ei_person_read(const char *id_token, const char *client_id, struct ei_person *ret_person,
                           struct ei_error *err)
{
    struct ei_person person = {0};
    cJSON *claims = ei_jwt_claims(id_token);
    enum ei_err rc = EI_OK;

    if (claims == NULL)
        return ei_fail(err, EI_TOKEN_REFUSED, "the login service sent an id_token that cannot be read");
    const char *name = ei_json_string(claims, "preferred_username");
    if (name == NULL)
        name = ei_json_string(claims, "upn");
    ei_graph_text(person.name, sizeof person.name, name != NULL ? name : "");
    copy_id(person.object_id, ei_json_string(claims, "oid"));
    copy_id(person.tenant_id, ei_json_string(claims, "tid"));
    if (is_for(claims, client_id))
        *ret_person = person;
    else
        rc = ei_fail(err, EI_SIGN_IN_TENANT, "%s signed in for another app than %s",
                     person.name[0] != '\0' ? person.name : "somebody", client_id);
    ei_graph_json_free(claims);
    return rc;
}
