'use strict';
// Errors of the login service (contract 1.7).

const LOGIN_HEADERS = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store, no-cache',
    'pragma': 'no-cache',
};

const TEXTS = {
    7000215: ['invalid_client', 401, 'Invalid client secret provided. Ensure the secret being sent in the request '
        + 'is the client secret value, not the client secret ID, for a secret added to the app.'],
    7000222: ['invalid_client', 401, 'The provided client secret keys for the app are expired.'],
    7000218: ['invalid_client', 401, 'The request body must contain the following parameter: \'client_assertion\' '
        + 'or \'client_secret\'.'],
    700025: ['invalid_client', 401, 'Client is public so neither \'client_assertion\' nor \'client_secret\' should '
        + 'be presented.'],
    700027: ['invalid_client', 401, 'The certificate with identifier used to sign the client assertion is not '
        + 'registered on application.'],
    700024: ['invalid_client', 401, 'Client assertion is not within its valid time range.'],
    700016: ['unauthorized_client', 400, 'Application was not found in the directory. This can happen if the '
        + 'application has not been installed by the administrator of the tenant.'],
    90002: ['invalid_request', 400, 'Tenant not found. Check to make sure you have the correct tenant ID and are '
        + 'signing into the correct cloud.'],
    900144: ['invalid_request', 400, 'The request body must contain a required parameter.'],
    900023: ['invalid_request', 400, 'Specified tenant identifier is neither a valid DNS name, nor a valid '
        + 'external domain.'],
    9001023: ['invalid_request', 400, 'The grant type is not supported over the /common or /consumers endpoints. '
        + 'Please use the /organizations or tenant-specific endpoint.'],
    70003: ['unsupported_grant_type', 400, 'The app requested an unsupported grant type.'],
    70011: ['invalid_scope', 400, 'The provided request must include a \'scope\' input parameter. The provided '
        + 'value for the input parameter \'scope\' is not valid.'],
    500011: ['invalid_resource', 400, 'The resource principal was not found in the tenant.'],
    700022: ['invalid_request', 400, 'The provided value for the input parameter \'scope\' is not valid because it '
        + 'contains more than one resource.'],
    70016: ['authorization_pending', 400, 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.'],
    70017: ['authorization_declined', 400, 'The user has declined the authorization.'],
    70018: ['bad_verification_code', 400, 'Invalid verification code due to an unknown device code.'],
    70019: ['expired_token', 400, 'The verification code has expired. Have the user retry the sign-in.'],
    70000: ['invalid_grant', 400, 'Provided grant is invalid or malformed.'],
    700082: ['invalid_grant', 400, 'The refresh token has expired due to inactivity.'],
    50173: ['invalid_grant', 400, 'The provided grant has expired due to it being revoked, a fresh auth token is '
        + 'needed. The user might have changed or reset their password.'],
    70043: ['invalid_grant', 400, 'The refresh token has expired or is invalid due to sign-in frequency checks by '
        + 'Conditional Access.'],
    50076: ['interaction_required', 400, 'Due to a configuration change made by your administrator, or because you '
        + 'moved to a new location, you must use multi-factor authentication to access the resource.'],
    50079: ['interaction_required', 400, 'Due to a configuration change made by your administrator, or because you '
        + 'moved to a new location, you must enroll in multi-factor authentication to access the resource.'],
    50057: ['invalid_grant', 400, 'The user account is disabled.'],
    50034: ['invalid_grant', 400, 'The user account does not exist in the directory.'],
    700021: ['invalid_client', 401, 'Client assertion application identifier doesn\'t match \'client_id\' parameter.'],
    700023: ['invalid_client', 401, 'Client assertion audience claim does not match Realm issuer.'],
    50013: ['invalid_grant', 400, 'Assertion failed signature validation.'],
    50027: ['invalid_request', 400, 'JWT token is invalid or malformed.'],
    70021: ['invalid_request', 400, 'No matching federated identity record found for presented assertion.'],
    65001: ['invalid_grant', 400, 'The user or administrator has not consented to use the application.'],
    53003: ['access_denied', 400, 'Access has been blocked by Conditional Access policies.'],
    530032: ['access_denied', 400, 'Access has been blocked by security policies of the tenant.'],
    90033: ['temporarily_unavailable', 503, 'A transient error has occurred. Please try again.'],
    90006: ['temporarily_unavailable', 503, 'The service is temporarily unavailable. Please retry later.'],
    50033: ['temporarily_unavailable', 503, 'A transient error has occurred. Please try again.'],
    90024: ['temporarily_unavailable', 503, 'A transient error has occurred. Please try again.'],
    90012: ['temporarily_unavailable', 503, 'The request to the service has timed out.'],
    50196: ['invalid_grant', 400, 'The server terminated an operation because it encountered a client request loop.'],
    90055: ['temporarily_unavailable', 429, 'The tenant is throttled because of too many requests.'],
    90038: ['invalid_request', 400, 'The tenant belongs to another national cloud.'],
    900382: ['invalid_request', 400, 'Confidential client is not supported in a cross-cloud request.'],
    900432: ['invalid_request', 400, 'Confidential client is not supported in a cross-cloud request.'],
    50012: ['invalid_client', 401, 'Authentication failed.'],
    50194: ['invalid_request', 400, 'The application is not configured as a multi-tenant application.'],
    7000112: ['unauthorized_client', 400, 'The application is disabled.'],
    53000: ['interaction_required', 400, 'Device is not in required device state: compliant.'],
    53001: ['interaction_required', 400, 'Device is not in required device state: domain_joined.'],
    53002: ['interaction_required', 400, 'The application used is not an approved application for Conditional Access.'],
    50105: ['interaction_required', 400, 'The signed-in user is not assigned to a role for the application.'],
    50078: ['interaction_required', 400, 'The presented multi-factor authentication has expired.'],
    70008: ['invalid_grant', 400, 'The provided authorization code or refresh token has expired or is revoked.'],
};

class LoginError extends Error {
    constructor(code, { message, error, status } = {}) {
        const known = TEXTS[code] || ['invalid_request', 400, 'The request failed.'];
        super(message || known[2]);
        this.code = code;
        this.error = error || known[0];
        this.status = status || known[1];
    }
}

/** error_description has literal CR LF (contract 1.7). */
function loginErrorAnswer(sim, ctx, failure) {
    const timestamp = new Date().toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z');
    const correlation = ctx.clientRequestId || ctx.requestId;
    return {
        status: failure.status,
        headers: LOGIN_HEADERS,
        body: JSON.stringify({
            error: failure.error,
            error_description: [`AADSTS${failure.code}: ${failure.message}`, `Trace ID: ${ctx.requestId}`,
                `Correlation ID: ${correlation}`, `Timestamp: ${timestamp}`].join('\r\n'),
            error_codes: [failure.code],
            timestamp,
            trace_id: ctx.requestId,
            correlation_id: correlation,
            error_uri: `${sim.urls.login}/error?code=${failure.code}`,
        }),
    };
}

module.exports = { LoginError, loginErrorAnswer, LOGIN_HEADERS };
