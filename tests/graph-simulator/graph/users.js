'use strict';
// GET, PATCH and DELETE of users (contract 3, 4, 5).

const { GraphError, json, noContent, text } = require('./answers');
const { checkFilter } = require('./filter');
const { parseFilter } = require('./filter-parser');
const { Listing } = require('./listing');
const { hasAny, requireAny, requireUserRead, denied, WRITE } = require('./permissions');
const { PROPERTIES, WRITABLE, isProperty, parseSelect, project } = require('./properties');
const { isEventual } = require('./query');

function notFound(id) {
    return new GraphError(404, 'Request_ResourceNotFound',
        `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`);
}

function listing(sim) {
    return new Listing(sim, sim.store.users, 'users', (user) => user.filterAt <= sim.clock.now());
}

function list(sim, ctx) {
    return listing(sim).answer(ctx, requireUserRead(ctx));
}

function count(sim, ctx) {
    requireUserRead(ctx);
    if (!isEventual(ctx))
        throw new GraphError(400, 'Request_BadRequest', '$count is not currently supported.');
    const filter = ctx.query.get('$filter');
    const tree = filter === undefined ? null : checkFilter(parseFilter(filter), sim.settings).tree;
    return text(200, String(listing(sim).total({ tree, order: null })));
}

function find(sim, key) {
    const user = sim.store.readable(key);
    if (!user)
        throw notFound(key);
    return user;
}

function get(sim, ctx, [key]) {
    const canReadAll = requireUserRead(ctx);
    const select = parseSelect(ctx.query.get('$select'));
    const user = find(sim, key);
    const names = select ? `(${select.join(',')})` : '';
    return json(200, {
        '@odata.context': `${sim.urls.graph}/v1.0/$metadata#users${names}/$entity`,
        ...project(sim.store.view(user), user.absent, select, canReadAll),
    });
}

function checkChange(name, value) {
    if (!isProperty(name))
        throw new GraphError(400, 'Request_BadRequest', `Property '${name}' does not exist as a declared property `
            + 'or extension property.');
    if (!WRITABLE.includes(name))
        throw new GraphError(400, 'Request_BadRequest', `Property '${name}' is read-only and cannot be set.`);
    const type = PROPERTIES[name][0];
    const isRight = type === 'texts' ? Array.isArray(value) && value.every((item) => typeof item === 'string')
        : type === 'boolean' ? typeof value === 'boolean' : value === null || typeof value === 'string';
    if (!isRight)
        throw new GraphError(400, 'Request_BadRequest', `Invalid value specified for property '${name}' of `
            + `resource 'User'.`);
}

/** Enabling and disabling has a narrower permission, which counts only together with reading (contract 5). */
function checkMayChange(ctx, names) {
    const mayEnable = hasAny(ctx, ['User.EnableDisableAccount.All']) && hasAny(ctx, ['User.Read.All']);
    const onlyEnables = names.every((name) => name === 'accountEnabled');
    if (!hasAny(ctx, WRITE) && !(onlyEnables && mayEnable))
        throw denied();
}

function patch(sim, ctx, [key]) {
    const changes = ctx.jsonObject();
    delete changes['@odata.type'];
    checkMayChange(ctx, Object.keys(changes));
    const user = find(sim, key);
    for (const [name, value] of Object.entries(changes))
        checkChange(name, value);
    sim.store.changeUser(user, changes);
    ctx.effect();
    return noContent();
}

function remove(sim, ctx, [key]) {
    requireAny(ctx, [...WRITE, 'User.DeleteRestore.All']);
    sim.store.deleteUser(find(sim, key));
    ctx.effect();
    return noContent();
}

module.exports = { list, count, get, patch, remove, notFound };
