'use strict';
// The token endpoint and the OpenID metadata (contract 1).

const { checkAssertion } = require('./assertion');
const { LoginError, LOGIN_HEADERS } = require('./errors');
const { fold } = require('../engine/address');

const WITHOUT_TENANT = ['common', 'organizations', 'consumers'];

function isTenant(sim, name) {
    return [sim.tenant.id, sim.tenant.initialDomain].some((own) => fold(own) === fold(name))
        || sim.settings.domains.some((domain) => domain.isVerified !== false && fold(domain.name) === fold(name));
}

function unknownTenant(name, error) {
    return new LoginError(90002, {
        error,
        message: `Tenant '${name}' not found. Check to make sure you have the correct tenant ID and are signing into `
            + 'the correct cloud. Check with your subscription administrator, this may happen if there are no active '
            + 'subscriptions for the tenant.',
    });
}

function unknownApp(clientId) {
    return new LoginError(700016, { message: `Application with identifier '${clientId}' was not found in the `
        + `directory 'Contoso'. This can happen if the application has not been installed by the administrator `
        + 'of the tenant.' });
}

function parseForm(ctx) {
    const type = String(ctx.headers['content-type'] || '').split(';')[0].trim().toLowerCase();
    return new URLSearchParams(type === 'application/x-www-form-urlencoded' ? ctx.body.toString('utf8') : '');
}

/** HTTP Basic is accepted in place of the two form fields (contract 1.1). */
function basicCredential(header) {
    const match = /^Basic +(\S+)$/i.exec(header || '');
    if (!match)
        return null;
    const text = Buffer.from(match[1], 'base64').toString('utf8');
    const at = text.indexOf(':');
    if (at < 0)
        return null;
    try {
        return { id: decodeURIComponent(text.slice(0, at)), secret: decodeURIComponent(text.slice(at + 1)) };
    } catch (error) {
        return null;
    }
}

function required(form, name) {
    const value = form.get(name);
    if (!value)
        throw new LoginError(900144, { message: `The request body must contain the following parameter: '${name}'.` });
    return value;
}

/** The Graph roots that a scope may name. */
function resources(sim) {
    return sim.settings.graphRoot === null ? sim.resources : [sim.settings.graphRoot];
}

function checkScope(sim, scope) {
    const wanted = resources(sim).map((root) => `${root}/.default`);
    if (wanted.includes(scope))
        return scope.slice(0, -'/.default'.length);
    if (!/^\S+\/\.default$/.test(scope))
        throw new LoginError(70011, { message: `The provided request must include a 'scope' input parameter. The `
            + `provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.` });
    throw new LoginError(500011, { message: `The resource principal named ${scope.slice(0, -'/.default'.length)} `
        + 'was not found in the tenant.' });
}

function checkSecret(sim, secret, form) {
    if (!secret)
        throw new LoginError(form.get('client_assertion') ? 700027 : 7000218);
    if (secret !== sim.settings.secret)
        throw new LoginError(7000215);
    if (sim.settings.secretExpired)
        throw new LoginError(7000222);
}

function token(sim, ctx, [tenant]) {
    const form = parseForm(ctx);
    const basic = basicCredential(ctx.headers.authorization);
    const grant = required(form, 'grant_type');
    const clientId = basic ? basic.id : required(form, 'client_id');
    if (WITHOUT_TENANT.includes(fold(tenant)))
        throw new LoginError(9001023);
    if (!isTenant(sim, tenant))
        throw unknownTenant(tenant);
    if (grant !== 'client_credentials')
        throw new LoginError(70003, { message: `The app requested an unsupported grant type '${grant}'.` });
    const scope = required(form, 'scope');
    if (fold(clientId) !== fold(sim.clientId))
        throw unknownApp(clientId);
    const resource = checkScope(sim, scope);
    if (!basic && (form.has('client_assertion') || form.has('client_assertion_type')))
        checkAssertion(sim, tenant, clientId, form);
    else
        checkSecret(sim, basic ? basic.secret : form.get('client_secret'), form);
    const access = sim.tokens.issue(clientId, resource);
    ctx.effect();
    const seconds = sim.settings.tokenExpiresIn;
    return {
        status: 200,
        headers: LOGIN_HEADERS,
        body: JSON.stringify({
            token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: access,
        }),
    };
}

/** The issuer names the tenant's GUID, by whatever name the metadata was asked for. */
function metadata(sim, ctx, [tenant]) {
    if (!WITHOUT_TENANT.includes(fold(tenant)) && !isTenant(sim, tenant))
        throw unknownTenant(tenant, 'invalid_tenant');
    const issuerTenant = WITHOUT_TENANT.includes(fold(tenant)) ? '{tenantid}' : sim.tenant.id;
    const base = `${sim.urls.login}/${WITHOUT_TENANT.includes(fold(tenant)) ? tenant : sim.tenant.id}`;
    return {
        status: 200,
        headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'max-age=86400, private' },
        body: JSON.stringify({
            token_endpoint: `${base}/oauth2/v2.0/token`,
            token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
            jwks_uri: `${base}/discovery/v2.0/keys`,
            response_modes_supported: ['query', 'fragment', 'form_post'],
            subject_types_supported: ['pairwise'],
            id_token_signing_alg_values_supported: ['RS256'],
            response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
            scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
            issuer: `${sim.urls.login}/${issuerTenant}/v2.0`,
            authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
            device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
            tenant_region_scope: 'EU',
            cloud_instance_name: 'microsoftonline.com',
            cloud_graph_host_name: 'graph.windows.net',
            msgraph_host: new URL(sim.urls.graph).host,
        }),
    };
}

module.exports = {
    token, metadata, isTenant, unknownTenant, unknownApp, parseForm, required, resources, checkSecret,
};
