'use strict';

/**
 * Nothing more is to come for this account but the partner. What was not seen for a while is seen in the end, so a mail
 * that was sent leaves no error behind, and one of which nobody knows the word for that.
 */
function isSettled({ state, mail, error }) {
    const code = error ? error.code : null;
    return state === 'pending' && ((mail === 'sent' && code === null) || (mail === 'unknown' && code === 'mail-unknown'));
}

module.exports = { isSettled };
