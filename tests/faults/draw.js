'use strict';
// A schedule, drawn from a seed: how many accounts there are, the rules of the proxy, the faults and the habits of the
// simulator, and when the worker is killed. All of it before it begins.

const { addressOf } = require('./host');

const TIMEOUT_MS = 1000; // of the worker's requests; on a busy machine some that nobody harmed end by it as well

/** Numbers in [0, 1) from a seed (mulberry32), and what is drawn with them. */
class Dice {
    constructor(seed) {
        this.state = seed >>> 0;
    }

    next() {
        this.state = (this.state + 0x6d2b79f5) >>> 0;
        let word = this.state;
        word = Math.imul(word ^ (word >>> 15), word | 1);
        word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
        return ((word ^ (word >>> 14)) >>> 0) / 0x100000000;
    }

    /** From least to most, both included. */
    whole(least, most) {
        return least + Math.floor(this.next() * (most - least + 1));
    }

    one(list) {
        return list[this.whole(0, list.length - 1)];
    }

    chance(share) {
        return this.next() < share;
    }
}

const ENDS = ['reset', 'fin', 'close'];
const ERRORS = [500, 502, 503, 504];
// Nothing usable is taken as ten seconds, so that is drawn seldom. What holds for an hour is test-proxy.sh's.
const WAITS = ['0', '0.2', '00', '1'];
const ABSURD = ['-1', '', 'soon', '1e3', '0x10', '0,5', '1 2', '.5', undefined];

const late = TIMEOUT_MS + 200;

// What is done to an exchange, and how it is drawn. Weights by repetition: what is ambiguous is what matters.
const REQUEST_FAULTS = [
    ['drop-before', (dice) => ({ end: dice.one(ENDS) })],
    ['drop-after', (dice) => ({ end: dice.one(ENDS) })],
    ['drop-after', (dice) => ({ end: dice.one(ENDS) })],
    ['delay-before', (dice) => ({ ms: dice.one([50, 300, late]) })],
    ['delay-after', (dice) => ({ ms: dice.one([50, 300, late]) })],
    ['truncate', (dice) => ({ share: dice.next(), end: dice.one(ENDS) })],
    ['truncate', (dice) => ({ share: dice.next(), end: dice.one(ENDS) })],
    ['record-cut', (dice) => ({ after: dice.whole(0, 2500), end: dice.one(['reset', 'fin']) })],
    ['answer-twice', () => ({})],
    ['read-twice', () => ({})],
    ['slow', (dice) => ({ bytes: dice.one([16, 100, 400]), everyMs: dice.one([5, 60, 200]) })],
    ['throttle-before', (dice) => ({ retryAfter: dice.chance(0.02) ? dice.one(ABSURD) : dice.one(WAITS) })],
    ['throttle-before', (dice) => ({ dateMs: -1000 * dice.whole(0, 100000) })],
    ['error-before', (dice) => ({ status: dice.one(ERRORS) })],
    ['error-after', (dice) => ({ status: dice.one(ERRORS) })],
    ['error-after', (dice) => ({ status: dice.one(ERRORS) })],
    ['stale', (dice) => ({ ms: dice.whole(200, 3000) })],
    ['late-404-before', () => ({})],
    ['huge-after', () => ({})],
    ['deep-after', (dice) => ({ closed: dice.chance(0.5) })],
    ['page-after', () => ({})],
    ['redirect-before', () => ({})],
    ['redirect-after', (dice) => ({ status: dice.one([302, 303]) })],
    ['interim-after', () => ({})],
    ['kill-before', () => ({})],
    ['kill-after', () => ({})],
    ['kill-after', () => ({})],
    ['kill-answered', (dice) => ({ ms: dice.whole(0, 8) })],
];

const CONNECTION_FAULTS = [
    ['refuse', () => ({})],
    ['mute', () => ({})],
    ['hello-reset', () => ({})],
    ['plain', () => ({})],
    ['certificate', (dice) => ({ name: dice.one(['other-name', 'other-authority', 'expired', 'early']) })],
    ['cut', (dice) => ({ after: dice.whole(0, 1500), end: dice.one(['reset', 'fin']) })],
    ['cut', (dice) => ({ after: dice.whole(1500, 12000), end: dice.one(['reset', 'fin']) })],
];

// Of one account: which of its requests. A body that asks for a mail has it in words.
const OF_ACCOUNT = [
    { method: 'GET', path: '^/v1.0/users\\?' },
    { method: 'POST', path: '^/v1.0/invitations' },
    { method: 'POST', path: '^/v1.0/invitations', also: '"sendInvitationMessage":true' },
    { method: 'POST', path: '^/v1.0/invitations', also: '"sendInvitationMessage":false' },
];

const OF_ANYBODY = [
    { path: '/token$' }, { path: 'openid-configuration' }, { path: '^/v1.0/domains' }, { path: '^/v1.0/users/' },
    { path: '^/v1.0/\\$batch' }, { path: '^/v1.0/directory/deletedItems' }, { path: '^/v1.0/users' }, {},
];

const SIMULATOR_FAULTS = [
    { reset: true, when: 'after' }, { close: true, when: 'after' }, { close: true, when: 'before' },
    { status: 503, when: 'after' }, { status: 500, when: 'before' }, { status: 429, retryAfter: '0.3' },
    { truncate: 30 }, { html: true }, { empty: true }, { latencyMs: 300 }, { reset: 'stream', when: 'after' },
];
// What ends an HTTP/2 stream early can end Node.js itself (an assertion in node::http2), and with it the simulator.
const endsStream = ({ reset, close, truncate }) => reset || close || truncate;

function ruleOf(dice, faults, match, nth) {
    const [action, how] = dice.one(faults);
    const stage = faults === CONNECTION_FAULTS ? 'connection' : 'request';
    return { stage, match, nth, times: action === 'stale' ? 4 : 1, action, how: how(dice) };
}

function times(count, make) {
    return Array.from({ length: count }, (_, i) => make(i));
}

function drawRules(dice, accounts) {
    const ofAccounts = times(accounts, (i) => times(dice.whole(0, 3), () =>
        ruleOf(dice, REQUEST_FAULTS, { ...dice.one(OF_ACCOUNT), text: addressOf(i) }, dice.one([1, 1, 1, 2])))).flat();
    const ofAll = times(dice.whole(0, 4), () => ruleOf(dice, REQUEST_FAULTS, dice.one(OF_ANYBODY), dice.whole(1, 5)));
    const lines = times(dice.whole(0, 4), () => ruleOf(dice, CONNECTION_FAULTS, {}, dice.whole(1, 2 * accounts)));
    return [...lines, ...ofAccounts, ...ofAll];
}

function drawSimulator(dice, accounts, http2) {
    const faults = times(dice.whole(0, 4), () => ({
        match: { path: dice.one(['^/v1.0/invitations', '^/v1.0/users', '^/v1.0/', '/token$']) },
        nth: dice.whole(1, 2 * accounts), times: 1, action: dice.one(SIMULATOR_FAULTS),
    })).filter(({ action }) => !http2 || !endsStream(action));
    const settings = { gzip: dice.chance(0.2), batch: !dice.chance(0.2) };
    if (dice.chance(0.5))
        settings.replication = { byIdMs: dice.whole(0, 800), filterMs: dice.whole(0, 800) };
    return { faults, settings };
}

// Few of them were guests before us.
const BEFORE = [...Array(10).fill(null), 'pending', 'accepted'];

/**
 * {seed, accounts, before: [null, pending or accepted: of each account], http2, rules, simulator: {faults, settings},
 *  chaosMs, kills: [ms...], refreshMs, again: null, or rules under which all are mailed once more,
 *  redeemed: whether the partners accept in the end}
 */
function draw(seed) {
    const dice = new Dice(seed);
    dice.next();
    // So many that batches come about, or fewer.
    const accounts = dice.chance(0.15) ? dice.whole(45, 70) : dice.whole(8, 30);
    const chaosMs = dice.whole(300, 1800);
    const http2 = dice.chance(0.3);
    return {
        seed, accounts, http2, chaosMs, rules: drawRules(dice, accounts),
        simulator: drawSimulator(dice, accounts, http2),
        kills: times(dice.whole(0, 3), () => dice.whole(20, chaosMs)).sort((a, b) => a - b),
        refreshMs: dice.one([150, 400, 10000]),
        before: times(accounts, () => dice.one(BEFORE)), redeemed: dice.chance(0.3),
        again: dice.chance(0.3) ? drawRules(dice, accounts) : null,
    };
}

module.exports = { TIMEOUT_MS, draw };
