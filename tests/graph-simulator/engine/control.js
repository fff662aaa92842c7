'use strict';
// The control interface: HTTP with JSON on a Unix socket, one verb a request.

const http = require('http');
const { fold } = require('./address');
const { matcher, MATCH_KEYS } = require('./faults');
const { applyGroup } = require('./groups');
const { applyUser, showObjects } = require('./kinds');
const { seedUsers } = require('./seed');
const { redeemByAddress } = require('../login/redeem');

const MAX_BODY = 64 * 1024 * 1024;
// So many times as long as a look takes, nobody looks.
const LOOK_SHARE = 10;
const COUNTED = ['posts', 'mails', 'guests', 'redemptions'];

class TimedOut extends Error {}

function requestsMatching(sim, condition) {
    const match = {};
    for (const [key, value] of Object.entries(condition)) {
        if (MATCH_KEYS.includes(key))
            match[key] = value;
        else if (!['count', 'answered', 'over', 'held'].includes(key))
            throw new Error(`unknown member '${key}'; there are: ${MATCH_KEYS.join(', ')}, count, answered, over, `
                + `held`);
    }
    const matches = matcher(match);
    return sim.ledger.requests.filter((record) => record.bodyRead && matches(record)
        && (!condition.answered || record.answered === 'yes') && (!condition.over || record.answered !== null)
        && (!condition.held || record.held));
}

function isReached(sim, condition) {
    if (condition.count !== undefined)
        return requestsMatching(sim, condition).length >= condition.count;
    const entry = sim.ledger.showEntry(condition.address);
    return COUNTED.every((key) => condition[key] === undefined || entry[key].length >= condition[key]);
}

function checkCondition(sim, condition) {
    if (condition === null || typeof condition !== 'object')
        throw new Error('wait: needs an object');
    if (condition.count !== undefined)
        requestsMatching(sim, condition);
    else if (typeof condition.address !== 'string' || !COUNTED.some((key) => condition[key] !== undefined))
        throw new Error(`wait: needs "count", or "address" with one of ${COUNTED.join(', ')}`);
}

/**
 * Looks again when the ledger has changed. A look may go through a hundred thousand requests, so the next one comes
 * only after some times as long: else a thousand requests a second would have to wait for those who watch them.
 */
class Looking {
    constructor(ledger, look) {
        Object.assign(this, { ledger, look, next: null, pauseMs: 0 });
        this.onChange = () => {
            if (this.next === null)
                this.next = setTimeout(() => this.now(), this.pauseMs);
        };
    }

    begin(reached) {
        this.reached = reached;
        this.ledger.on('change', this.onChange);
        this.now();
    }

    now() {
        const begun = performance.now();
        this.next = null;
        if (this.look())
            this.reached();
        this.pauseMs = LOOK_SHARE * (performance.now() - begun);
    }

    end() {
        this.ledger.removeListener('change', this.onChange);
        clearTimeout(this.next);
    }
}

function wait(sim, argument, whenGone) {
    const condition = argument.for;
    checkCondition(sim, condition);
    return new Promise((resolve, reject) => {
        const looking = new Looking(sim.ledger, () => isReached(sim, condition));
        const finish = (act) => {
            clearTimeout(timer);
            looking.end();
            act();
        };
        const text = `not reached in ${argument.timeoutSeconds} s: ${JSON.stringify(condition)}`;
        const giveUp = () => reject(new TimedOut(text));
        const timer = setTimeout(() => finish(giveUp), argument.timeoutSeconds * 1000);
        whenGone(() => finish(resolve));
        looking.begin(() => finish(() => resolve({ reached: true })));
    });
}

function ledger(sim, { address }) {
    if (address === undefined)
        return sim.ledger.showAll();
    return {
        address: fold(address), ...sim.ledger.showEntry(address),
        requests: sim.ledger.requests.filter((record) => record.address !== null
            && fold(record.address) === fold(address)),
        users: showObjects(sim, address),
    };
}

function addFaults(sim, rules) {
    return { ids: (Array.isArray(rules) ? rules : [rules]).map((rule) => sim.faults.add(rule)) };
}

function set(sim, { key, value }) {
    sim.settings.set(key, value);
    return { [key]: sim.settings.show()[key] };
}

function get(sim, { key }) {
    const shown = sim.settings.show();
    if (key === undefined)
        return shown;
    if (!Object.prototype.hasOwnProperty.call(shown, key))
        throw new Error(`no setting '${key}'; there are: ${Object.keys(shown).join(', ')}`);
    return shown[key];
}

function advance(sim, { seconds }) {
    if (typeof seconds !== 'number' || !(seconds >= 0))
        throw new Error('advance: needs a number of seconds, not below 0');
    sim.clock.advance(seconds);
    return { now: sim.clock.graphTime() };
}

const done = { done: true };

const VERBS = {
    'redeem': (sim, { address, provider }) => redeemByAddress(sim, String(address), provider),
    'ledger': ledger,
    'requests': (sim, condition) => requestsMatching(sim, condition),
    'mails': (sim, { address }) => sim.ledger.mails(address),
    'user': applyUser,
    'show': (sim, { find }) => showObjects(sim, String(find)),
    'group': applyGroup,
    'fault': addFaults,
    'faults': (sim) => sim.faults.show(),
    'faults-clear': (sim) => { sim.faults.clear('cleared'); return done; },
    'release': (sim, { name }) => ({ released: sim.faults.release(name) }),
    'wait': wait,
    'set': set,
    'get': get,
    'expire-tokens': (sim) => { sim.tokens.expireAll(); return done; },
    'approve': (sim, { userCode, user }) => sim.sessions.approve(userCode, user),
    'decline': (sim, { userCode }) => sim.sessions.decline(userCode),
    'revoke': (sim, { number }) => sim.sessions.revoke(number),
    'advance': advance,
    'seed': seedUsers,
    'reset': (sim, { part }) => { sim.reset(part === undefined ? 'all' : part); return done; },
};

function readBody(request) {
    return new Promise((resolve, reject) => {
        const parts = [];
        let length = 0;
        request.on('data', (part) => {
            length += part.length;
            if (length > MAX_BODY)
                request.destroy(new Error('too much'));
            else
                parts.push(part);
        });
        request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
        request.on('error', reject);
    });
}

async function answer(sim, request, response) {
    const verb = request.url.slice(1);
    if (!Object.prototype.hasOwnProperty.call(VERBS, verb))
        return [404, { error: `no verb '${verb}'` }];
    try {
        const argument = JSON.parse(await readBody(request) || 'null');
        const value = await VERBS[verb](sim, argument, (callback) => response.on('close', callback));
        return [200, value];
    } catch (error) {
        return [error instanceof TimedOut ? 408 : 400, { error: error.message }];
    }
}

/** An HTTP server, to be told to listen on a Unix socket. */
function createControl(sim) {
    return http.createServer((request, response) => {
        answer(sim, request, response).then(([status, value]) => {
            sim.log.flush();
            response.writeHead(status, { 'content-type': 'application/json' });
            response.end(JSON.stringify(value));
        });
    });
}

module.exports = { createControl };
