'use strict';
// The managed identity service of an Azure VM (IMDS) and of the Azure Arc agent, over plain HTTP (contract 1.6).

const fs = require('fs');
const path = require('path');
const login = require('./login');

const KNOWN = ['api-version', 'resource', 'client_id'];
const OLDEST = '2018-02-01';
const ARC_VERSIONS = ['2019-11-01', '2020-06-01'];

function answer(status, body, headers = {}) {
    return {
        status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body: JSON.stringify(body),
    };
}

const refuse = (error, text) => answer(400, { error, error_description: text });

/** What is wrong with the question; null: nothing. */
function trouble(sim, ctx, query) {
    const version = query.get('api-version') || '';
    const arc = sim.settings.identity === 'arc';
    if (ctx.headers.metadata !== 'true' || ctx.headers['x-forwarded-for'] !== undefined)
        return refuse('invalid_request', 'Required metadata header not specified (bad_request_102)');
    const strange = [...query.keys()].find((name) => !KNOWN.includes(name) || query.getAll(name).length > 1);
    if (strange !== undefined)
        return refuse('invalid_request', `Parameter '${strange}' is not known or came twice`);
    if (arc ? !ARC_VERSIONS.includes(version) : !/^\d{4}-\d\d-\d\d$/.test(version) || version < OLDEST)
        return refuse('bad_request', `The api-version '${version}' is not supported`);
    if (!login.resources(sim).includes(query.get('resource')))
        return refuse('invalid_resource', `The resource principal named ${query.get('resource')} was not found`);
    return null;
}

/** The client id of the identity that is meant; null: there is none such. An old Arc agent ignores the question. */
function identityOf(sim, query) {
    const { identity, identityClientIds, identitySystem, identityEcho } = sim.settings;
    const wanted = query.get('client_id');
    if (wanted !== null && (identity !== 'arc' || identityEcho))
        return identityClientIds.includes(wanted) ? wanted : null;
    if (identitySystem !== null)
        return identitySystem;
    return identityClientIds.length === 1 ? identityClientIds[0] : null;
}

/** The agent writes a key that only its group can read, and wants to be shown it. */
function challenge(sim) {
    const directory = sim.settings.identityKeys;
    const name = path.join(directory, `${sim.ids.guid('arc key')}.key`);
    const owner = fs.statSync(directory);
    const key = Buffer.from(sim.ids.opaque('arc key')).toString('base64');
    fs.writeFileSync(name, key, { mode: 0o600 });
    fs.chownSync(name, owner.uid, owner.gid);
    fs.chmodSync(name, 0o640);
    sim.arcKeys.set(key, name);
    return answer(401, { error: 'unauthorized', error_description: 'Show the key in the file' },
        { 'www-authenticate': `Basic realm=${sim.settings.identityRealm || name}` });
}

/** Each key opens once. */
function isKey(sim, header) {
    const match = /^Basic (\S+)$/.exec(header || '');
    const name = match && sim.arcKeys.get(match[1]);
    if (!name)
        return false;
    sim.arcKeys.delete(match[1]);
    fs.rmSync(name, { force: true });
    return true;
}

function token(sim, ctx) {
    const query = new URLSearchParams(ctx.queryText);
    const wrong = trouble(sim, ctx, query);
    if (wrong)
        return wrong;
    if (sim.settings.identity === 'arc' && !isKey(sim, ctx.headers.authorization))
        return challenge(sim);
    const clientId = identityOf(sim, query);
    if (clientId === null)
        return refuse('invalid_request', 'Identity not found');
    const resource = query.get('resource');
    const seconds = sim.settings.tokenExpiresIn;
    const now = Math.floor(sim.clock.now() / 1000);
    ctx.effect();
    return answer(200, {
        access_token: sim.tokens.issue(clientId, resource), refresh_token: '', expires_in: String(seconds),
        expires_on: String(now + seconds), not_before: String(now), resource, token_type: 'Bearer',
        client_id: sim.settings.identityEcho ? clientId : undefined,
    });
}

module.exports = { token };
