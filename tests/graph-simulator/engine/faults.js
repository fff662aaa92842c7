'use strict';
// Fault rules: which request each one hits, and what an action means. README.md is the reference.

const { seededRandom } = require('./ids');
const { fold } = require('./address');
const { isReplication } = require('./settings');

const RULE_KEYS = ['match', 'action', 'nth', 'times', 'chance', 'name'];
const MATCH_KEYS = ['method', 'path', 'query', 'address', 'mail', 'httpVersion', 'reused', 'batched', 'grant'];
const BEFORE_BY_DEFAULT = ['status', 'aadsts', 'reset', 'close', 'stuck', 'raw'];

const number = (least) => (value) => typeof value === 'number' && value >= least;
const text = (value) => typeof value === 'string';
const yes = (value) => value === true;
const plainObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

const ACTION_CHECKS = {
    when: (value) => value === 'before' || value === 'after',
    latencyMs: number(0),
    hold: text,
    status: (value) => Number.isInteger(value) && value >= 200 && value <= 599,
    code: text,
    message: text,
    retryAfter: (value) => typeof value === 'number' || text(value)
        || (plainObject(value) && (text(value.decimal) || typeof value.date === 'number')),
    aadsts: (value) => Number.isInteger(value) && value > 0,
    error: text,
    ghost: yes,
    replication: isReplication,
    reset: (value) => value === true || value === 'stream',
    close: yes,
    stuck: yes,
    raw: text,
    html: yes,
    empty: yes,
    body: (value) => value !== undefined,
    contentType: text,
    headers: plainObject,
    huge: number(1),
    truncate: number(0),
    dribble: (value) => plainObject(value) && number(1)(value.bytes) && number(0)(value.everyMs),
};

function refuseUnknownKeys(object, allowed, where) {
    for (const key of Object.keys(object)) {
        if (!allowed.includes(key))
            throw new Error(`fault: unknown member '${key}' in ${where}; there are: ${allowed.join(', ')}`);
    }
}

function checkRule(rule) {
    if (!plainObject(rule) || !plainObject(rule.action))
        throw new Error('fault: a rule is an object with an object "action"');
    refuseUnknownKeys(rule, RULE_KEYS, 'the rule');
    refuseUnknownKeys(rule.match || {}, MATCH_KEYS, 'match');
    refuseUnknownKeys(rule.action, Object.keys(ACTION_CHECKS), 'action');
    for (const [key, value] of Object.entries(rule.action)) {
        if (!ACTION_CHECKS[key](value))
            throw new Error(`fault: bad value of action.${key}: ${JSON.stringify(value)}`);
    }
    for (const key of ['nth', 'times']) {
        if (rule[key] !== undefined && !(Number.isInteger(rule[key]) && rule[key] >= (key === 'nth' ? 1 : 0)))
            throw new Error(`fault: bad value of ${key}: ${JSON.stringify(rule[key])}`);
    }
}

function matcher(match) {
    const path = match.path === undefined ? null : new RegExp(match.path);
    const query = match.query === undefined ? null : new RegExp(match.query);
    return (record) => (match.method === undefined || match.method === record.method)
        && (!path || path.test(record.path))
        && (!query || query.test(record.query))
        && (match.address === undefined || (record.address !== null && fold(match.address) === fold(record.address)))
        && (match.mail === undefined || match.mail === record.mail)
        && (match.httpVersion === undefined || match.httpVersion === record.httpVersion)
        && (match.reused === undefined || match.reused === (record.connectionRequest > 1))
        && (match.grant === undefined || match.grant === record.grant)
        && (match.batched === undefined || match.batched === (record.batch !== null));
}

/** "before" or "after" the effect. */
function moment(action) {
    if (action.when)
        return action.when;
    return BEFORE_BY_DEFAULT.some((key) => action[key] !== undefined) ? 'before' : 'after';
}

class Faults {
    constructor(seed) {
        this.seed = seed;
        this.lastId = 0;
        this.rules = [];
        this.waiting = new Set();
        this.clear('cleared');
    }

    /** how: what the waiting requests are told: "cleared", they go on; "dropped", they end. */
    clear(how) {
        this.rules = [];
        this.random = seededRandom(`${this.seed}/faults`);
        for (const wait of [...this.waiting])
            wait.finish(how);
    }

    add(rule) {
        checkRule(rule);
        const entry = {
            id: ++this.lastId, rule, matches: matcher(rule.match || {}), nth: rule.nth || 1,
            times: rule.times === undefined ? 1 : rule.times, seen: 0, acted: 0,
        };
        this.rules.push(entry);
        return entry.id;
    }

    /** The rule that acts on this request, or null. Counts the request in every rule that it matches. */
    choose(record) {
        let chosen = null;
        for (const entry of this.rules) {
            if (!entry.matches(record))
                continue;
            entry.seen++;
            if (chosen || entry.seen < entry.nth || (entry.times !== 0 && entry.acted >= entry.times))
                continue;
            if (entry.rule.chance !== undefined && this.random() >= entry.rule.chance)
                continue;
            entry.acted++;
            chosen = entry;
        }
        return chosen;
    }

    show() {
        return this.rules.map((entry) => ({ id: entry.id, ...entry.rule, seen: entry.seen, acted: entry.acted }));
    }

    /**
     * Resolves with "released", "cleared", "dropped" (a reset) or "gone" (the client left, if onClientGone
     * is given to tell it). A wait without a name can't be released.
     */
    wait(name, onClientGone) {
        return new Promise((resolve) => {
            const wait = {
                name,
                finish: (how) => {
                    this.waiting.delete(wait);
                    resolve(how);
                },
            };
            this.waiting.add(wait);
            if (onClientGone)
                onClientGone(() => wait.finish('gone'));
        });
    }

    release(name) {
        let count = 0;
        for (const wait of [...this.waiting]) {
            if (wait.name !== undefined && (name === undefined || wait.name === name)) {
                wait.finish('released');
                count++;
            }
        }
        return count;
    }
}

module.exports = { Faults, matcher, moment, MATCH_KEYS };
