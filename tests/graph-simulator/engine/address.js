'use strict';
// How addresses are compared: ASCII case does not count, everything else does.

function fold(given) {
    const text = String(given);
    return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

function domainOf(address) {
    return fold(address.slice(address.lastIndexOf('@') + 1));
}

module.exports = { fold, domainOf };
