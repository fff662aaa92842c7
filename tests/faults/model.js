'use strict';
// The executable model of how one person is invited (rules, section 6): what is durable, what is sent, and what becomes
// of it when the process dies, a request or an answer is lost, Graph throttles, or its directory is behind.
//
// A design is three tables of edges. Each edge is [event, to] or [event, to, what is sent after it is durable]; `to` are
// the members that change. What stands there durably:
//
//     step, mail    as the store has them
//     guest, link   whether the guest's id, and a redeem URL, are on record
//     open          an intent is written down whose outcome is not
//     lost          a create went unanswered: whether there is a guest is to be looked up
//
// The service: POSTs for one address converge on one guest and each gives another link that opens the door (X17 asks the
// real one again); only a POST with mail sends one; a look-up may be behind. model-check.js explores all of it.

const QUEUED = { step: 'queued', mail: 'none', guest: false, link: false, open: false, lost: false };

const LOOK = 'look'; // for users with the address
const CREATE = 'create'; // POST without mail
const MAIL = 'mail'; // POST with mail
const SEE = 'see'; // the guest, by id

// How a request ends, as the worker can tell: with an answer, with the certainty that nothing was done (rejected), or
// without either (unclear). An answer to a look-up is `nobody`, `pending` or `accepted`.

const RETRY = ['retry', '-']; // the event is written once for each reason

function again(step) {
    return RETRY.map((event) => [event, { step, open: false }]);
}

/** The design as it is built (C): create without mail until the link is durable, then one mail under a durable right. */
const built = {
    name: 'built (C): create without mail until the link is durable, then mail once',

    /** Nothing is under way and the job is due. */
    due: {
        queued: () => [['checking', { step: 'checking', open: true, lost: false }, LOOK]],
        checking: () => [['checking', { open: true }, LOOK]],
        creating: ({ open }) => (open
            ? [['create-unknown', { step: 'checking', open: false, lost: true }]]
            : [['creating', { open: true }, CREATE]]),
        created: (_, world) => (world.spent
            ? [['mail-spent', { step: 'pending', mail: 'unknown', open: false, lost: false }]]
            : [['mailing', { step: 'mailing', mail: 'sending', open: true }, MAIL]]),
        mailing: ({ open }) => (open
            ? [['mail-unknown', { step: 'pending', mail: 'unknown', open: false, lost: false }]]
            : [['mailing', { open: true }, MAIL]]),
        pending: () => [[null, {}, SEE]],
        accepted: () => [[null, {}, SEE]],
    },

    answer: {
        [LOOK]: {
            // Nobody is forgotten, except where a create is unanswered: three look-ups, then one more create.
            nobody: ({ lost }) => [
                ...(lost ? [['not-found-yet', { open: false }]] : []),
                ['creating', { step: 'creating', open: true, mail: 'wanted', ...(lost ? {} : { guest: false, link: false }) },
                    CREATE]],
            // A guest that our own lost create made is mailed; one that was there before is not.
            pending: ({ lost, mail }) => [
                ['creating', { step: 'creating', open: true, guest: true, mail: lost || mail === 'wanted' ? 'wanted' : 'none' },
                    CREATE]],
            accepted: () => [['already-guest', ACCEPTED]],
            rejected: () => again('checking'),
            unclear: () => again('checking'),
        },
        [CREATE]: {
            done: ({ mail, guest, link }) => {
                const event = guest && link ? 'url-renewed' : mail === 'wanted' ? 'created' : 'invited';
                return mail === 'wanted'
                    ? [[event, { step: 'created', guest: true, link: true, open: false }]]
                    : [[event, { step: 'pending', guest: true, link: true, open: false, lost: false }]];
            },
            rejected: () => again('creating'),
            unclear: () => [['create-unknown', { step: 'checking', open: false, lost: true }]],
        },
        [MAIL]: {
            done: () => [['mailed', { step: 'pending', mail: 'sent', guest: true, link: true, open: false, lost: false }]],
            rejected: () => again('mailing'),
            unclear: () => [['mail-unknown', { step: 'pending', mail: 'unknown', open: false, lost: false }]],
        },
        [SEE]: {
            nobody: () => [['guest-missing', {}], ['-', {}]],
            pending: () => [['-', {}]],
            accepted: ({ step }) => (step === 'accepted' ? [['-', {}]] : [['accepted', ACCEPTED]]),
            rejected: () => [['-', {}]],
            unclear: () => [['-', {}]],
        },
    },

    /** Where nothing more is to come but the partner. */
    isFinal: ({ step }) => step === 'pending' || step === 'accepted',
};

const ACCEPTED = { step: 'accepted', guest: true, link: false, open: false, lost: false };

/** Design A of the rules: one POST with mail, again after any error. */
const careless = {
    name: 'A: one POST with mail, again after any error',
    due: {
        queued: () => [['mailing', { step: 'mailing', mail: 'sending', open: true }, MAIL]],
        mailing: () => [['mailing', { open: true }, MAIL]],
        pending: () => [],
    },
    answer: {
        [MAIL]: {
            done: built.answer[MAIL].done,
            rejected: () => again('mailing'),
            unclear: () => again('mailing'),
        },
    },
    isFinal: built.isFinal,
};

/** Design B: look the address up, and POST with mail if nobody is there. */
const lookedUp = {
    name: 'B: a look-up, then a POST with mail',
    due: {
        queued: () => [['checking', { step: 'checking', open: true }, LOOK]],
        checking: () => [['checking', { open: true }, LOOK]],
        mailing: () => [['checking', { step: 'checking', open: true }, LOOK]],
        pending: () => [],
    },
    answer: {
        [LOOK]: {
            nobody: () => [['mailing', { step: 'mailing', mail: 'sending', open: true }, MAIL]],
            pending: () => [['invited', { step: 'pending', mail: 'sent', guest: true, open: false }]],
            accepted: () => [['already-guest', ACCEPTED]],
            rejected: () => again('checking'),
            unclear: () => again('checking'),
        },
        [MAIL]: {
            done: built.answer[MAIL].done,
            rejected: () => again('checking'),
            unclear: () => again('checking'),
        },
    },
    isFinal: built.isFinal,
};

module.exports = { QUEUED, LOOK, CREATE, MAIL, SEE, built, careless, lookedUp };
