'use strict';
// Lists of users: $filter, $select, $top, $count, $orderby, and pages behind an opaque nextLink (contract 3, 4.2).

const { GraphError, json } = require('./answers');
const { checkFilter, candidates, matches } = require('./filter');
const { parseFilter } = require('./filter-parser');
const { parseSelect, project } = require('./properties');
const { parseBoolean, parseTop, parseOrder, isEventual, requirePair } = require('./query');

const KEPT_CURSORS = 10000;

/** Cursors of pages handed out, by their token. */
class Cursors {
    constructor(ids) {
        this.ids = ids;
        this.byToken = new Map();
    }

    /** The token has a plus and an equals sign: only a client that keeps the link as it is gets on. */
    put(cursor) {
        const token = `RFN+${this.ids.opaque('skiptoken')}=`;
        this.byToken.set(token, cursor);
        if (this.byToken.size > KEPT_CURSORS)
            this.byToken.delete(this.byToken.keys().next().value);
        return token;
    }

    /** undefined if there is none. */
    find(token) {
        return this.byToken.get(token);
    }

    get(token) {
        const cursor = this.find(token);
        if (!cursor)
            throw new GraphError(400, 'Directory_ExpiredPageToken', 'The specified page token value has expired '
                + 'and can no longer be included in your request.');
        return cursor;
    }

    reset() {
        this.byToken.clear();
    }
}

function parseListing(ctx, settings) {
    const { query } = ctx;
    for (const name of ['$skip', '$search', '$expand', '$deltatoken']) {
        if (query.has(name))
            throw new GraphError(400, 'Request_UnsupportedQuery', `'${name}' is not supported by the service.`);
    }
    const select = parseSelect(query.get('$select'));
    const top = query.has('$top') ? parseTop(query.get('$top'), settings.maxTop)
        : Math.min(settings.pageSize, settings.maxTop);
    const count = query.has('$count') && parseBoolean('$count', query.get('$count'));
    const order = query.has('$orderby') ? parseOrder(query.get('$orderby')) : null;
    const filter = query.has('$filter') ? checkFilter(parseFilter(query.get('$filter')), settings) : null;
    const advanced = (filter !== null && filter.advanced) || (filter !== null && order !== null);
    if (advanced)
        requirePair(ctx, count);
    return { select, top, order, advanced, tree: filter && filter.tree, count: count && isEventual(ctx) };
}

class Listing {
    /** path: the collection's own under the version root; isVisible(object): whether replication lets it show. */
    constructor(sim, collection, path, isVisible) {
        Object.assign(this, { sim, collection, path, isVisible });
    }

    accepts(tree, object) {
        return object !== null && this.isVisible(object)
            && (tree === null || matches(tree, this.sim.store.view(object)));
    }

    /** A narrow result is taken at once; a wide one is walked page by page. */
    source(asked) {
        const narrow = asked.tree && candidates(asked.tree, this.collection);
        if (!narrow && !asked.order)
            return this.collection.order;
        const objects = [...(narrow || this.collection.order)].filter((object) => object !== null);
        if (asked.order)
            this.sort(objects, asked.order);
        else
            objects.sort((a, b) => a.position - b.position);
        return objects;
    }

    sort(objects, { name, descending }) {
        const key = (object) => String(object.props[name] || '');
        objects.sort((a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b))) * (descending ? -1 : 1));
    }

    total(asked) {
        return this.source(asked).filter((object) => this.accepts(asked.tree, object)).length;
    }

    page(ctx, cursor, canReadAll) {
        const { asked, objects } = cursor;
        const value = [];
        let at = cursor.at;
        if (cursor.emptyPages === 0) {
            for (; at < objects.length && value.length < asked.top; at++) {
                const object = objects[at];
                if (this.accepts(asked.tree, object))
                    value.push(project(this.sim.store.view(object), object.absent, asked.select, canReadAll));
            }
            while (at < objects.length && !this.accepts(asked.tree, objects[at]))
                at++;
        }
        const names = asked.select ? `(${asked.select.join(',')})` : '';
        const body = { '@odata.context': `${this.sim.urls.graph}/v1.0/$metadata#${this.path}${names}` };
        if (cursor.first && asked.count)
            body['@odata.count'] = this.total(asked);
        if (at < objects.length || cursor.emptyPages > 0) {
            const rest = { asked, objects, at, emptyPages: Math.max(0, cursor.emptyPages - 1), first: false };
            const token = encodeURIComponent(this.sim.cursors.put(rest));
            const select = asked.select ? `$select=${asked.select.join(',')}&` : '';
            body['@odata.nextLink'] = `${this.sim.urls.graph}/v1.0/${this.path}?${select}$skiptoken=${token}`;
        }
        body.value = value;
        return json(200, body);
    }

    /** What of the query a page link may carry lives in its token; ConsistencyLevel does not (contract 4.2). */
    answer(ctx, canReadAll) {
        if (ctx.query.has('$skiptoken')) {
            const cursor = this.sim.cursors.get(ctx.query.get('$skiptoken'));
            if (cursor.asked.advanced)
                requirePair(ctx, true);
            return this.page(ctx, cursor, canReadAll);
        }
        const asked = parseListing(ctx, this.sim.settings);
        const { emptyPages } = this.sim.settings;
        return this.page(ctx, { asked, objects: this.source(asked), at: 0, emptyPages, first: true }, canReadAll);
    }
}

module.exports = { Cursors, Listing };
