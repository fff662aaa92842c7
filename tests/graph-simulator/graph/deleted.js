'use strict';
// Soft-deleted users: read, list, restore, purge (contract 5).

const { json, noContent } = require('./answers');
const { Listing } = require('./listing');
const { requireAny, requireUserRead, WRITE } = require('./permissions');
const { parseSelect, project } = require('./properties');
const { notFound } = require('./users');

const USERS_PATH = 'directory/deletedItems/microsoft.graph.user';
const RESTORE = [...WRITE, 'User.DeleteRestore.All'];

function find(sim, id) {
    sim.store.purgeExpired();
    const user = sim.store.deleted.withId(id);
    if (!user)
        throw notFound(id);
    return user;
}

function list(sim, ctx) {
    const canReadAll = requireUserRead(ctx);
    sim.store.purgeExpired();
    return new Listing(sim, sim.store.deleted, USERS_PATH, () => true).answer(ctx, canReadAll);
}

function entity(sim, ctx, user, canReadAll) {
    const select = parseSelect(ctx.query.get('$select'));
    return json(200, {
        '@odata.context': `${sim.urls.graph}/v1.0/$metadata#directoryObjects/$entity`,
        '@odata.type': '#microsoft.graph.user',
        ...project(sim.store.view(user), user.absent, select, canReadAll),
    });
}

function get(sim, ctx, [id]) {
    const canReadAll = requireUserRead(ctx);
    return entity(sim, ctx, find(sim, id), canReadAll);
}

function restore(sim, ctx, [id]) {
    requireAny(ctx, RESTORE);
    const user = find(sim, id);
    sim.store.restoreUser(user);
    ctx.effect();
    return entity(sim, ctx, user, true);
}

function purge(sim, ctx, [id]) {
    requireAny(ctx, RESTORE);
    sim.store.purgeUser(find(sim, id));
    ctx.effect();
    return noContent();
}

module.exports = { list, get, restore, purge };
