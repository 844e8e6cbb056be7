// node-oidc-provider on a loopback port, as its one argument (JSON) says; see __init__.py.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const settings = JSON.parse(process.argv[2]);

function client(metadata) {
  return {
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [settings.redirect_uri],
    post_logout_redirect_uris: [settings.post_logout_redirect_uri],
    ...(settings.backchannel_logout_uri && {
      backchannel_logout_uri: settings.backchannel_logout_uri,
      backchannel_logout_session_required: true,
    }),
    ...metadata,
  };
}

function clients() {
  const secret = client({
    client_id: settings.client_id,
    client_secret: settings.client_secret,
    token_endpoint_auth_method: 'client_secret_basic',
  });
  const key = settings.key_client_jwks && client({
    client_id: settings.key_client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: settings.key_client_jwks,
  });
  const open = client({
    client_id: settings.public_client_id,
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  });
  return key ? [secret, open, key] : [secret, open];
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'interop' };
}

// Auth0's `audience` parameter means what RFC 8707 calls `resource`. A token for another audience
// is refused at UserInfo, hence the switch.
const resourceIndicators = {
  enabled: true,
  defaultResource: (ctx, _client, oneOf) =>
    oneOf ?? (settings.is_audience_honoured ? ctx.oidc.params?.audience : undefined),
  getResourceServerInfo: (_ctx, resource) => ({
    scope: settings.api_scope,
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: settings.access_token_seconds,
    jwt: { sign: { alg: 'RS256' } },
  }),
  useGrantedResource: () => settings.is_audience_honoured,
};

const provider = new Provider(settings.issuer, {
  clients: clients(),
  jwks: { keys: [signingKey()] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  scopes: ['openid', 'offline_access'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  extraParams: ['audience'],
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({
      sub, name: `User ${sub}`, email: `${sub}@example.com`, email_verified: true,
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
    userinfo: { enabled: true },
    dPoP: {
      enabled: true,
      nonceSecret: randomBytes(32),
      requireNonce: () => settings.is_dpop_nonce_required,
    },
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: settings.is_par_required,
    },
    resourceIndicators,
  },
  pkce: { required: () => true },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  // Its own way of fetching refuses every address that is not public; the one that is told of a
  // logout is on this machine.
  fetch: (url, { dispatcher: _refusing, ...options }) => globalThis.fetch(url, options),
  ttl: {
    AccessToken: settings.access_token_seconds,
    IdToken: 3600,
    RefreshToken: 86400,
    Session: 86400,
    Grant: 86400,
    Interaction: 3600,
  },
});

for (const event of ['server_error', 'grant.error', 'authorization.error',
  'pushed_authorization_request.error', 'end_session.error', 'backchannel.error']) {
  provider.on(event, (_ctx, error) => console.error(event, error));
}

provider.listen(settings.port, '127.0.0.1');
