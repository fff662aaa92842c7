'use strict';
// How it ends: nothing more is to come for an account but what the partner does.

/** What was not seen for a while is seen in the end, so a mail that was sent leaves no error behind, and one of which
 *  nobody knows the word for that. */
function isSettled({ state, mail, error }) {
    const code = error ? error.code : null;
    return state === 'pending' && ((mail === 'sent' && code === null) || (mail === 'unknown' && code === 'mail-unknown'));
}

/** Somebody who was a guest before us, pending or accepted: is never mailed. */
function isLinked({ state, mail, error }, before) {
    return state === before && mail === 'none' && !error;
}

function linkedProblems(account, counted) {
    const { mails = [], guests = [] } = counted || {};
    return mails.length === 0 && guests.length === 0 ? [] :
        [`${account.login}, a guest before: ${mails.length} mails, ${guests.length} new guests`];
}

module.exports = { isSettled, isLinked, linkedProblems };
