'use strict';
// One request carried out as the fault rule that acts on it says, be it a request of its own or one inside a batch.

const { harms, insteadOf, alter } = require('./fault-answers');
const { moment } = require('./faults');
const { carryOut, isGraphPath } = require('./routes');

const DIAGNOSTIC = JSON.stringify({ ServerInfo: { DataCenter: 'Loopback', Slice: 'E', Ring: '0' } });
const EMPTY_ANSWER = { status: 200, headers: { 'content-type': 'application/json' }, body: '' };
// A reset of the simulator let go of what was held: there is nothing to answer from any more.
const DROPPED = { answer: EMPTY_ANSWER, how: { reset: 'stream' } };

/** Waits for the release that action.hold asks for. False: everything was reset meanwhile. */
async function passHold(sim, ctx, action) {
    ctx.record.held = true;
    const released = sim.faults.wait(action.hold);
    sim.ledger.understood();
    const how = await released;
    ctx.record.held = false;
    return how !== 'dropped';
}

/** What every answer has besides the handler's own headers; one inside a batch has none of it. */
function commonHeaders(ctx) {
    if (ctx.record.batch !== null)
        return { 'cache-control': 'no-cache' };
    const headers = {
        'request-id': ctx.requestId,
        'cache-control': 'no-cache',
        'strict-transport-security': 'max-age=31536000',
    };
    if (ctx.clientRequestId)
        headers['client-request-id'] = ctx.clientRequestId;
    if (isGraphPath(ctx.rawPath))
        headers['x-ms-ags-diagnostic'] = DIAGNOSTIC;
    else
        headers['x-ms-request-id'] = ctx.requestId;
    return headers;
}

/**
 * Returns {answer, how}: what to answer, and the action that says how it is to be transferred, if at all. The effect
 * has happened or not, as the action says. What an answer asks of the transfer itself (a batch's) is in its `how`.
 */
async function perform(sim, ctx, route) {
    const rule = sim.faults.choose(ctx.record);
    const action = rule ? rule.rule.action : {};
    ctx.action = action;
    ctx.record.fault = rule ? rule.id : null;
    if (action.latencyMs)
        await new Promise((resolve) => { setTimeout(resolve, action.latencyMs); });
    const isBefore = moment(action) === 'before';
    const isHeld = action.hold !== undefined;
    if (isHeld && isBefore && !await passHold(sim, ctx, action))
        return DROPPED;
    const own = isBefore && harms(action) ? EMPTY_ANSWER : await carryOut(sim, ctx, route);
    if (isHeld && !isBefore && !await passHold(sim, ctx, action))
        return DROPPED;
    const answer = insteadOf(sim, ctx, action) || own;
    const headers = { ...commonHeaders(ctx), ...answer.headers };
    return { answer: alter({ ...answer, headers }, action), how: { ...own.how, ...action } };
}

module.exports = { perform };
