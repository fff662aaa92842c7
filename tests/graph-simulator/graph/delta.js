'use strict';
// GET /users/delta: what is new since a token was given (contract 4.3).

const { GraphError, json, turnedOff } = require('./answers');
const { parseFilter } = require('./filter-parser');
const { requireAny, READ_ALL } = require('./permissions');
const { DEFAULT_PROPERTIES, parseSelect, emptyValue } = require('./properties');
const { notFound } = require('./users');
const { KEPT_MS } = require('../engine/changes');
const { fold } = require('../engine/address');

const MAX_IDS = 50;
const REFUSED = ['$orderby', '$expand', '$search', '$skip', '$count'];
const FIXED = ['$select', '$filter', ...REFUSED];
const STATE = ['externalUserState', 'externalUserStateChangeDateTime'];

function unsupported(message) {
    return new GraphError(400, 'Request_UnsupportedQuery', message);
}

/** The ids of `id eq '…' or id eq '…'`; no other filter is known here. */
function filteredIds(text) {
    const tree = parseFilter(text);
    const parts = tree.op === 'or' ? tree.parts : [tree];
    const isOfIds = parts.every((part) => part.op === 'compare' && part.name === 'eq' && part.path === 'id'
        && typeof part.value === 'string');
    if (!isOfIds)
        throw unsupported('Unsupported query: only a filter on id with eq and or is supported for delta.');
    if (parts.length > MAX_IDS)
        throw unsupported(`Unsupported query: a filter for delta names at most ${MAX_IDS} objects.`);
    return new Set(parts.map((part) => fold(part.value)));
}

/** What the first call fixes for all that follow. $top is ignored. */
function parseFirst({ query }) {
    for (const name of REFUSED) {
        if (query.has(name))
            throw unsupported(`Unsupported query: '${name}' is not supported for delta.`);
    }
    const select = parseSelect(query.get('$select'));
    return {
        select, names: select || DEFAULT_PROPERTIES,
        ids: query.has('$filter') ? filteredIds(query.get('$filter')) : null,
    };
}

function expired(sim) {
    const how = sim.settings.deltaExpired;
    if (how === 'gone')
        return new GraphError(410, 'resyncRequired', 'The token is too old: a new round has to begin.',
            { location: `${sim.urls.graph}/v1.0/users/delta?$deltatoken=` });
    return new GraphError(400, how, 'The sync state generation is not found. The delta token is expired and data must '
        + 'be synchronized again.');
}

/** What a token of an earlier answer stands for. */
function remembered(sim, ctx, name) {
    for (const fixed of FIXED) {
        if (ctx.query.has(fixed))
            throw unsupported(`Unsupported query: '${fixed}' is fixed by the token.`);
    }
    const token = sim.deltaTokens.find(ctx.query.get(name));
    if (!token || token.name !== name || token.issuedAt + KEPT_MS < sim.clock.now())
        throw expired(sim);
    return token;
}

function isEmpty(value) {
    return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

class Round {
    /** since: the number of the change after which this round begins; null: it tells of everything. */
    constructor(sim, asked, since, minimal) {
        const { changes } = sim.store;
        const { replication, deltaReplays } = sim.settings;
        Object.assign(this, { sim, asked, since, minimal, users: [] });
        this.until = Math.max(since || 0, changes.position(replication.deltaMs));
        this.next = deltaReplays > 0 ? Math.min(this.until, changes.position(replication.deltaMs, deltaReplays))
            : this.until;
    }

    everybody() {
        const { store, settings, clock } = this.sim;
        const latest = clock.now() - settings.replication.deltaMs;
        const removed = settings.deltaRemovedFirst ? store.deleted.order : [];
        return [...removed, ...store.users.order].filter((user) => user !== null && this.isAsked(user)
            && user.appearedAt <= latest);
    }

    isAsked(user) {
        return this.asked.ids === null || this.asked.ids.has(fold(user.props.id));
    }

    isNew(number) {
        return number > this.since && number <= this.until;
    }

    hasChanged(user, name) {
        return user.changedIn !== undefined && this.isNew(user.changedIn[name])
            && (this.sim.settings.deltaTracksState || !STATE.includes(name));
    }

    isRemoved(user) {
        return user.removed !== null && user.removedIn <= this.until;
    }

    concerns(user) {
        return this.isAsked(user) && (this.isNew(user.appearedIn)
            || (this.isRemoved(user) && this.isNew(user.removedIn))
            || this.asked.names.some((name) => this.hasChanged(user, name)));
    }

    /** Members that never had a value are left out; minimal: those that did not change, too. */
    show(user) {
        if (this.isRemoved(user))
            return { 'id': user.props.id, '@removed': { reason: user.removed } };
        const isWhole = !this.minimal || this.isNew(user.appearedIn);
        const shown = { id: user.props.id };
        for (const name of this.asked.names) {
            const value = user.props[name];
            const wasSet = !isEmpty(value) || (user.changedIn !== undefined && user.changedIn[name] !== undefined);
            if (wasSet && !user.absent.has(name) && (isWhole || this.hasChanged(user, name)))
                shown[name] = isEmpty(value) ? emptyValue(name) : value;
        }
        return shown;
    }

    link(name, members) {
        const token = this.sim.deltaTokens.put({ name, issuedAt: this.sim.clock.now(), ...members });
        return `${this.sim.urls.graph}/v1.0/users/delta?${name}=${encodeURIComponent(token)}`;
    }

    /** One page, its last objects once more on the next if the setting says so. */
    page(at, emptyPages) {
        const { settings, urls } = this.sim;
        const size = Math.min(settings.pageSize, settings.maxTop);
        const end = emptyPages > 0 ? at : Math.min(at + size, this.users.length);
        const start = Math.max(0, at - (end > at ? settings.deltaReplays : 0));
        const names = this.asked.select ? `(${this.asked.select.join(',')})` : '';
        const body = { '@odata.context': `${urls.graph}/v1.0/$metadata#users${names}` };
        if (end < this.users.length || emptyPages > 0)
            body['@odata.nextLink'] = this.link('$skiptoken', {
                round: this, at: end, emptyPages: Math.max(0, emptyPages - 1),
            });
        else
            body['@odata.deltaLink'] = this.link('$deltatoken', { asked: this.asked, since: this.next });
        body.value = this.users.slice(start, end).map((user) => this.show(user));
        return json(200, body, this.minimal ? { 'preference-applied': 'return=minimal' } : {});
    }

    firstPage() {
        const { store, settings } = this.sim;
        this.users = this.since === null ? this.everybody()
            : this.sim.shuffled(store.changes.since(this.since).filter((user) => this.concerns(user)));
        return this.page(0, settings.emptyPages);
    }

    /** Only the link that says "from now". */
    empty() {
        return this.page(0, 0);
    }
}

function delta(sim, ctx) {
    if (sim.settings.delta === false)
        throw notFound('delta');
    const refusal = turnedOff(sim.settings.delta, 'delta');
    if (refusal)
        throw refusal;
    requireAny(ctx, READ_ALL);
    sim.store.purgeExpired();
    if (ctx.query.has('$skiptoken')) {
        const { round, at, emptyPages } = remembered(sim, ctx, '$skiptoken');
        return round.page(at, emptyPages);
    }
    const token = ctx.query.get('$deltatoken');
    if (token === 'latest')
        return new Round(sim, parseFirst(ctx), null, false).empty();
    if (!token)
        return new Round(sim, parseFirst(ctx), null, false).firstPage();
    const { asked, since } = remembered(sim, ctx, '$deltatoken');
    const isMinimal = /\breturn=minimal\b/i.test(String(ctx.headers.prefer || ''));
    return new Round(sim, asked, since, isMinimal).firstPage();
}

module.exports = { delta };
