'use strict';
// The requests inside one $batch as requests of their own: each has its record, its fault rule, its answer.

const { GraphError, errorAnswer, plainError, turnedOff } = require('../graph/answers');
const { readBatch, responseText } = require('../graph/batch');
const { fold } = require('./address');
const { Context } = require('./context');
const { askedPause } = require('./fault-answers');
const { perform } = require('./perform');
const { recordInside } = require('./record');
const { findRoute, BATCH } = require('./routes');
const { understand } = require('./subject');

// What of an action can't be done to one answer among others, only to the connection that carries them all.
const OF_THE_CONNECTION = ['reset', 'close', 'stuck', 'raw', 'huge', 'truncate', 'dribble'];

/** A "#" starts a fragment here too: what follows it is lost. */
function rawUrlOf(url) {
    return `/v1.0/${url.replace(/^\//, '').split('#', 1)[0]}`;
}

function headersOf(outer, headers = {}) {
    const folded = { authorization: outer.headers.authorization };
    for (const [name, value] of Object.entries(headers))
        folded[fold(name)] = value;
    return folded;
}

/** A body of JSON stands in the batch as it is, any other as base64. */
function bodyOf({ body }, headers) {
    if (body === undefined || body === null)
        return Buffer.alloc(0);
    const isText = typeof body === 'string' && !/\bjson\b/i.test(headers['content-type']);
    return isText ? Buffer.from(body, 'base64') : Buffer.from(JSON.stringify(body));
}

class Batch {
    /** outer: the request that carries the batch. Everything inside has arrived with it, whatever becomes of it. */
    constructor(sim, outer) {
        Object.assign(this, { sim, outer, refusal: null, inside: [] });
        try {
            this.refusal = turnedOff(sim.settings.batch, '$batch');
            if (!this.refusal)
                this.inside = readBatch(outer).map((request) => this.unpack(request));
        } catch (error) {
            if (!(error instanceof GraphError))
                throw error;
            this.refusal = error;
        }
    }

    unpack(request) {
        const headers = headersOf(this.outer, request.headers);
        const rawUrl = rawUrlOf(request.url);
        const route = findRoute(request.method, rawUrl);
        const inside = { method: request.method, rawUrl, headers };
        const names = Object.keys(request.headers || {});
        const record = recordInside(this.sim, this.outer.record, inside, route, request.id, names);
        const ctx = new Context(this.sim, { ...inside, body: bodyOf(request, headers) }, record);
        understand(this.sim, ctx, route);
        return { request, ctx, route, record, answer: null, how: {}, started: null };
    }

    byId(id) {
        return this.inside.find((inner) => fold(inner.request.id) === fold(id));
    }

    start(inner) {
        if (!inner.started)
            inner.started = this.carryOutOne(inner);
        return inner.started;
    }

    async carryOutOne(inner) {
        const needed = (inner.request.dependsOn || []).map((id) => this.byId(id));
        if (needed.length > 0) {
            await Promise.all(needed.map((other) => this.start(other)));
            if (needed.some((other) => other.answer.status >= 400)) {
                inner.answer = errorAnswer(inner.ctx, plainError(424));
                return;
            }
        }
        Object.assign(inner, await perform(this.sim, inner.ctx, inner.route));
    }

    /** Without dependsOn nothing is said of the order in which requests take effect or are answered: it is random. */
    async carryOut() {
        const { settings } = this.sim;
        const order = this.sim.shuffled(this.inside);
        await Promise.all(order.map((inner) => this.start(inner)));
        const isThrottled = order.some((inner) => inner.answer.status === 429);
        const texts = order.map((inner) => responseText(inner.request.id, inner.answer, settings.batchErrorCodes));
        return {
            status: isThrottled && settings.batchThrottle === '424' ? 424 : 200,
            headers: { 'content-type': 'application/json' },
            body: `{"responses":[${texts.join(',')}]}`,
            how: this.connectionFault(),
            told: () => this.told(),
        };
    }

    connectionFault() {
        const how = {};
        for (const inner of this.inside) {
            for (const key of OF_THE_CONNECTION) {
                if (inner.how[key] !== undefined && how[key] === undefined)
                    how[key] = inner.how[key];
            }
        }
        return how;
    }

    /** The answer goes out: only now does the client learn a status. */
    told() {
        for (const { ctx, record, answer } of this.inside) {
            record.status = answer.status;
            this.sim.ledger.throttledFor(askedPause(ctx, answer));
        }
    }

    closed(answered) {
        for (const { record } of this.inside)
            this.sim.finished(record, answered);
    }
}

/** The Batch that ctx carries, null if it carries none. */
function unpackBatch(sim, ctx, route) {
    return route.template === BATCH && route.handler ? new Batch(sim, ctx) : null;
}

module.exports = { unpackBatch };
