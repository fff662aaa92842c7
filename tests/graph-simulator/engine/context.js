'use strict';
// One request as the handlers see it, free of the HTTP version, so that a batch can make inner ones.

const { GraphError } = require('../graph/answers');
const { parseQuery } = require('../graph/query');

class Context {
    /** request: {method, rawUrl, headers, body}; record: its entry in the ledger. */
    constructor(sim, request, record) {
        Object.assign(this, request);
        this.sim = sim;
        this.record = record;
        this.requestId = sim.ids.guid('request');
        this.clientRequestId = record.clientRequestId;
        record.requestId = this.requestId;
        const at = this.rawUrl.indexOf('?');
        this.rawPath = at < 0 ? this.rawUrl : this.rawUrl.slice(0, at);
        this.queryText = at < 0 ? '' : this.rawUrl.slice(at + 1);
        this.action = null;
        this.post = null;
        this.batch = null;
        this.token = null;
        this.parsed = undefined;
    }

    get query() {
        if (!this.queryMap)
            this.queryMap = parseQuery(this.queryText);
        return this.queryMap;
    }

    /** The body as JSON, undefined if it is none. */
    get json() {
        if (this.parsed === undefined) {
            try {
                this.parsed = { value: JSON.parse(this.body.toString('utf8')) };
            } catch (error) {
                this.parsed = { value: undefined };
            }
        }
        return this.parsed.value;
    }

    /** The body as a JSON object; throws Graph's answer to anything else. */
    jsonObject() {
        const type = String(this.headers['content-type'] || '').toLowerCase();
        const value = this.json;
        if (!/^application\/json\b/.test(type) || value === null || typeof value !== 'object' || Array.isArray(value))
            throw new GraphError(400, 'BadRequest', 'Unable to read JSON request payload. Please ensure '
                + 'Content-Type header is set and payload is of valid JSON format.');
        return value;
    }

    /** To be called when the request has changed something or handed something out. */
    effect() {
        this.record.effect = true;
    }
}

module.exports = { Context };
