'use strict';
// The executable model of how one person is invited (rules, section 6): what is durable, what is sent, and what becomes
// of it when the process dies, a request or an answer is lost, Graph throttles, or its directory is behind.
//
// A design is tables of edges. Each edge is [event, to] or [event, to, what is sent after it is durable]; `to` are the
// members that change. What stands there durably:
//
//     step, mail    as the store has them
//     guest, link   whether the guest's id, and a redeem URL, are on record
//     open          an intent is written down whose outcome is not
//     lost          a create went unanswered: whether there is a guest is to be looked up
//     linked        the guest was there before us: never mailed by itself
//
// The service: POSTs for one address converge on one guest and each gives another link that opens the door (X17 asks
// the real one again); only a POST with mail sends one; a look-up may be behind. model-check.js explores all of it.

const QUEUED = { step: 'queued', mail: 'none', guest: false, link: false, open: false, lost: false, linked: false };

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

function create(linked) {
    return { step: 'creating', open: true, linked, mail: linked ? 'none' : 'wanted' };
}

/** The design as it is built (C): create without mail until the link is durable, then mail under a durable right. */
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

    /** Somebody asks for another mail: the right to it is another one. */
    resend: ({ step }) => (step === 'pending' ? [['resend', { step: 'queued', mail: 'none', open: false }]] : []),

    answer: {
        [LOOK]: {
            // Whoever was on record is forgotten. Not where a create is unanswered: look-ups, then one more create.
            nobody: ({ lost, linked }) => (lost
                ? [['not-found-yet', { open: false }], ['creating', create(linked), CREATE]]
                : [['creating', { ...create(false), guest: false, link: false }, CREATE]]),
            // Ours is the guest that our own create made, answered or not.
            pending: ({ lost, guest, linked }) => [
                ['creating', { ...create(linked || !(lost || guest)), guest: true }, CREATE]],
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
            done: () => [['mailed',
                { step: 'pending', mail: 'sent', guest: true, link: true, open: false, lost: false }]],
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
    resend: () => [],
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
    resend: () => [],
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

/** The built design with one edge led astray, each with the promise that it breaks. */
const spoiled = [
    [{ ...built, name: 'C, with the mail sent again when its answer is lost', answer: { ...built.answer,
        [MAIL]: { ...built.answer[MAIL], unclear: () => again('mailing') } } }, ['at most one mail']],
    [{ ...built, name: 'C, with the mail sent again after a crash', due: { ...built.due,
        mailing: () => [['mailing', { open: true }, MAIL]] } }, ['at most one mail']],
    [{ ...built, name: 'C, with a create that is not taken up after a crash', due: { ...built.due,
        creating: ({ open }) => (open ? [] : [['creating', {}, CREATE]]) } }, ['never stuck']],
    [{ ...built, name: 'C, with a lost create taken for the end', answer: { ...built.answer,
        [CREATE]: { ...built.answer[CREATE], unclear: () => [['invited', { step: 'pending', open: false }]] } } },
    ['the link is not lost']],
];

module.exports = { QUEUED, LOOK, CREATE, MAIL, SEE, built, careless, lookedUp, spoiled };
