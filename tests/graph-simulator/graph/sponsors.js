'use strict';
// The sponsors of a user: with an invitation, and one by one (contract 2.2, 5).

const { GraphError, json, noContent } = require('./answers');
const { requireAny, requireUserRead, WRITE } = require('./permissions');
const { notFound } = require('./users');
const { fold } = require('../engine/address');

const MAX_SPONSORS = 5;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function badRequest(message) {
    return new GraphError(400, 'Request_BadRequest', message);
}

/** The user or group that a reference names: "{graph}/v1.0/users/{id}", and nothing but an id (contract 5); throws if
 * there is none. */
function referenced(sim, url) {
    const root = `${sim.urls.graph}/v1.0/`;
    const rest = typeof url === 'string' && url.startsWith(root) ? url.slice(root.length) : '';
    const [, kind, encoded] = /^(users|groups|directoryObjects)\/([^/?#]+)$/.exec(rest) || [];
    if (!kind)
        throw badRequest('Invalid value for \'@odata.id\': it must be the URL of a user or a group.');
    const key = decodeURIComponent(encoded);
    if (!GUID.test(key))
        throw badRequest(`Invalid object identifier '${key}'.`);
    const user = kind !== 'groups' ? sim.store.readable(key) : null;
    const other = kind !== 'users' ? sim.store.others.withId(key) : null;
    const object = user || (other && other.kind === 'group' ? other : null);
    if (!object)
        throw notFound(key);
    return object;
}

function describe(object) {
    const isUser = object.kind === undefined;
    const { id, displayName, userPrincipalName } = object.props;
    return {
        '@odata.type': `#microsoft.graph.${isUser ? 'user' : 'group'}`, id, displayName,
        ...(isUser ? { userPrincipalName } : {}),
    };
}

/** What the members of an invitation refer to: URLs to bind, or objects with an id. */
function ofInvitation(sim, body) {
    const bound = (body['invitedUserSponsors@odata.bind'] || []).map((url) => referenced(sim, url));
    const objects = (body.invitedUserSponsors || []).map((entry) =>
        referenced(sim, `${sim.urls.graph}/v1.0/directoryObjects/${encodeURIComponent(String(entry && entry.id))}`));
    return [...bound, ...objects];
}

/** By the setting: Microsoft has no sample of it, so a client must cope with each. */
function invited(sim, body) {
    const isAsked = body['invitedUserSponsors@odata.bind'] || body.invitedUserSponsors;
    if (!isAsked || sim.settings.sponsorsBind === 'ignored')
        return [];
    if (sim.settings.sponsorsBind === 'refused')
        throw new GraphError(400, 'BadRequest', 'The property \'invitedUserSponsors\' cannot be set on resource '
            + '\'Invitation\'.');
    return ofInvitation(sim, body);
}

function sponsorsOf(user) {
    return user.sponsors || [];
}

function isSponsor(user, object) {
    return sponsorsOf(user).some((one) => one.props.id === object.props.id);
}

/** Adds those that are new. */
function assign(user, objects) {
    for (const object of objects) {
        if (!isSponsor(user, object))
            user.sponsors = [...sponsorsOf(user), object];
    }
}

function find(sim, key) {
    const user = sim.store.readable(key);
    if (!user)
        throw notFound(key);
    return user;
}

function list(sim, ctx, [key]) {
    requireUserRead(ctx);
    const names = ctx.query.get('$select');
    const wanted = names === undefined ? null : names.split(',').map((name) => name.trim());
    const value = sponsorsOf(find(sim, key)).map(describe).map((shown) => Object.fromEntries(Object.entries(shown)
        .filter(([name]) => wanted === null || name.startsWith('@') || wanted.includes(name))));
    return json(200, { '@odata.context': `${sim.urls.graph}/v1.0/$metadata#directoryObjects`, value });
}

function add(sim, ctx, [key]) {
    requireAny(ctx, WRITE);
    const body = ctx.jsonObject();
    if (Object.keys(body).join() !== '@odata.id')
        throw badRequest('The request body must hold \'@odata.id\' and nothing else.');
    const user = find(sim, key);
    const object = referenced(sim, body['@odata.id']);
    if (isSponsor(user, object))
        throw badRequest('One or more added object references already exist for the following modified properties: '
            + '\'sponsors\'.');
    if (sponsorsOf(user).length === MAX_SPONSORS)
        throw badRequest(`At most ${MAX_SPONSORS} sponsors can be assigned.`);
    assign(user, [object]);
    ctx.effect();
    return noContent();
}

function remove(sim, ctx, [key, id]) {
    requireAny(ctx, WRITE);
    const user = find(sim, key);
    const left = sponsorsOf(user).filter((one) => fold(one.props.id) !== fold(id));
    if (left.length === sponsorsOf(user).length)
        throw notFound(id);
    user.sponsors = left;
    ctx.effect();
    return noContent();
}

module.exports = { MAX_SPONSORS, invited, assign, list, add, remove };
