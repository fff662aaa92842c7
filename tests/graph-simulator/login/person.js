'use strict';
// Tokens for a person who signed in, "App + User": device code and refresh token (contract 1.4, 1.5).

const { LoginError, LOGIN_HEADERS } = require('./errors');
const login = require('./login');
const { fold } = require('../engine/address');

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const OPENID_SCOPES = ['openid', 'profile', 'email', 'offline_access'];
const SHARED = ['common', 'organizations'];

function invalidScope(scope, why) {
    return new LoginError(70011, { message: 'The provided request must include a \'scope\' input parameter. The '
        + `provided value for the input parameter 'scope' is not valid. ${why}: ${scope}.` });
}

/** {openid, permissions, resource}: one resource's permissions beside the words that OpenID has. */
function readScope(sim, text) {
    const words = text.split(' ').filter((word) => word !== '');
    const openid = words.filter((word) => OPENID_SCOPES.includes(word));
    const others = words.filter((word) => !OPENID_SCOPES.includes(word));
    const permissions = [];
    const resources = new Set();
    for (const word of others) {
        // Without a resource, Microsoft Graph is meant.
        const match = /^(?:(https:\/\/[^\s/]+)\/)?([A-Za-z]+(?:\.[A-Za-z]+)*|\.default)$/.exec(word);
        if (!match)
            throw invalidScope(text, `The scope ${word} is not valid`);
        const root = match[1] || login.resources(sim)[0];
        if (match[1] && !login.resources(sim).includes(root))
            throw new LoginError(500011, { message: `The resource principal named ${root} was not found in the `
                + 'tenant.' });
        resources.add(root);
        permissions.push(match[2]);
    }
    if (resources.size > 1)
        throw new LoginError(700022);
    if (permissions.includes('.default') && permissions.length > 1)
        throw invalidScope(text, '.default scope can\'t be combined with resource-specific scopes');
    return {
        openid, resource: [...resources][0] || login.resources(sim)[0],
        permissions: permissions[0] === '.default' ? [...sim.settings.consented] : permissions,
    };
}

function checkApp(sim, form, tenant) {
    const clientId = login.required(form, 'client_id');
    if (!SHARED.includes(fold(tenant)) && !login.isTenant(sim, tenant))
        throw login.unknownTenant(tenant);
    if (fold(clientId) !== fold(sim.clientId))
        throw login.unknownApp(clientId);
    return clientId;
}

/** A public client has no secret to send; another one has to (contract 1.7). */
function checkPublic(sim, form, ctx) {
    const sent = form.get('client_secret') || form.get('client_assertion') || ctx.headers.authorization;
    if (sim.settings.publicClient && sent)
        throw new LoginError(700025);
    if (!sim.settings.publicClient)
        login.checkSecret(sim, form.get('client_secret'), form);
}

function deviceCode(sim, ctx, [tenant]) {
    const form = login.parseForm(ctx);
    checkApp(sim, form, tenant);
    const code = sim.sessions.begin(readScope(sim, login.required(form, 'scope')));
    const { deviceNumbers, deviceExpiresIn, deviceComplete } = sim.settings;
    const number = (value) => (deviceNumbers === 'text' ? String(value) : value);
    const page = `${sim.urls.login}/devicelogin`;
    ctx.effect();
    return {
        status: 200,
        headers: LOGIN_HEADERS,
        body: JSON.stringify({
            user_code: code.userCode,
            device_code: code.deviceCode,
            verification_uri: page,
            verification_uri_complete: deviceComplete ? `${page}?code=${code.userCode}` : undefined,
            expires_in: number(deviceExpiresIn),
            interval: deviceNumbers === 'absent' ? undefined : number(code.interval),
            message: `To sign in, use a web browser to open the page ${page} and enter the code ${code.userCode} to `
                + 'authenticate.',
        }),
    };
}

/** Signed by nobody: it comes over TLS from the token endpoint itself. */
function idToken(sim, clientId, user) {
    const seconds = Math.floor(sim.clock.now() / 1000);
    const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const tid = sim.settings.idTokenTenant || sim.tenant.id;
    return [
        encoded({ typ: 'JWT', alg: 'RS256', kid: 'simulated' }),
        encoded({
            aud: clientId, iss: `${sim.urls.login}/${tid}/v2.0`, iat: seconds, nbf: seconds,
            exp: seconds + 3600, name: user.props.displayName, oid: user.props.id,
            preferred_username: user.props.userPrincipalName, sub: sim.ids.opaque('subject'), tid, ver: '2.0',
        }),
        sim.ids.opaque('signature'),
    ].join('.');
}

/** The answer of both grants; newRefresh: makes what to answer as refresh_token, undefined for nothing. */
function tokens(sim, ctx, clientId, { user, scopes }, newRefresh) {
    if (scopes.permissions.some((name) => !sim.settings.consented.includes(name)))
        throw new LoginError(65001);
    const seconds = sim.settings.tokenExpiresIn;
    const access = sim.tokens.issueForPerson(clientId, scopes.resource, user, scopes.permissions);
    const granted = [...scopes.permissions.map((name) => `${scopes.resource}/${name}`),
        ...scopes.openid.filter((word) => word !== 'offline_access')];
    ctx.effect();
    return {
        status: 200,
        headers: LOGIN_HEADERS,
        body: JSON.stringify({
            token_type: 'Bearer', scope: granted.join(' '), expires_in: seconds, ext_expires_in: seconds,
            access_token: access, refresh_token: newRefresh(),
            id_token: scopes.openid.includes('openid') ? idToken(sim, clientId, user) : undefined,
        }),
    };
}

function poll(sim, ctx, clientId, form) {
    const code = sim.sessions.poll(login.required(form, 'device_code'));
    return tokens(sim, ctx, clientId, code, () => (code.scopes.openid.includes('offline_access')
        ? sim.sessions.issueRefresh(code.user, code.scopes) : undefined));
}

/** Every use gives a new token, the old one stays good (contract 1.5); other services do it in other ways. */
function rotated(sim, token, session) {
    const { refreshRotation } = sim.settings;
    if (refreshRotation === 'none')
        return undefined;
    if (refreshRotation === 'revoke')
        sim.sessions.forget(token);
    return sim.sessions.issueRefresh(session.user, session.scopes);
}

function refresh(sim, ctx, clientId, form) {
    const token = login.required(form, 'refresh_token');
    const session = sim.sessions.redeem(token);
    const scopes = form.get('scope') ? readScope(sim, form.get('scope')) : session.scopes;
    return tokens(sim, ctx, clientId, { user: session.user, scopes }, () => rotated(sim, token, session));
}

const GRANTS = { [DEVICE_GRANT]: poll, refresh_token: refresh };

/** The token endpoint: a person's grants here, an app's in login.js. */
function token(sim, ctx, [tenant]) {
    const form = login.parseForm(ctx);
    const grant = form.get('grant_type');
    if (!Object.prototype.hasOwnProperty.call(GRANTS, String(grant)))
        return login.token(sim, ctx, [tenant]);
    const clientId = checkApp(sim, form, tenant);
    checkPublic(sim, form, ctx);
    return GRANTS[grant](sim, ctx, clientId, form);
}

module.exports = { token, deviceCode };
