// What the unmodified openid-client brings at the tenant, as JSON.
// node openid_client.mjs ISSUER JWK: reads callback URLs, one a line, for the authorization URLs that
// it prints, and ends with what the responses brought. JWK is the private key for request objects.
import { createInterface } from "node:readline";
import * as oidc from "openid-client";

const issuer = new URL(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const redirect_uri = "http://localhost:3000/auth/callback";
const insecure = { execute: [oidc.allowInsecureRequests] };
const brought = {};

async function visit(url) {
  console.log(url.href);
  return new URL((await lines.next()).value);
}

async function discovered(authentication) {
  const options = process.argv[2].startsWith("https") ? {} : insecure;
  return oidc.discovery(issuer, "local-app", "local-secret", authentication, options);
}

async function login(config, { parameters = {}, push = false, pkce = true } = {}) {
  const pkceCodeVerifier = pkce ? oidc.randomPKCECodeVerifier() : undefined;
  const [expectedNonce, expectedState] = [oidc.randomNonce(), oidc.randomState()];
  const request = {
    redirect_uri,
    scope: "openid profile email offline_access",
    nonce: expectedNonce,
    state: expectedState,
    ...(pkce && {
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: "S256",
    }),
    ...parameters,
  };
  const url = push
    ? await oidc.buildAuthorizationUrlWithPAR(config, request)
    : oidc.buildAuthorizationUrl(config, request);
  const checks = { pkceCodeVerifier, expectedNonce, expectedState };
  if (parameters.max_age !== undefined) checks.maxAge = Number(parameters.max_age);
  return oidc.authorizationCodeGrant(config, await visit(url), checks);
}

for (const [name, authentication] of [
  ["post", oidc.ClientSecretPost("local-secret")],
  ["basic", oidc.ClientSecretBasic("local-secret")],
  ["jwt", oidc.ClientSecretJwt("local-secret")],
]) {
  const tokens = await login(await discovered(authentication), { push: name !== "post" });
  brought[name] = tokens.claims().email;
}
const config = await discovered(oidc.ClientSecretPost("local-secret"));
const aged = await login(config, { parameters: { max_age: "600" } });
brought.max_age = typeof aged.claims().auth_time;
brought.no_pkce = (await login(config, { pkce: false })).claims().email;
const refreshed = await oidc.refreshTokenGrant(config, aged.refresh_token);
brought.refresh = refreshed.claims().sub === aged.claims().sub;
const user = await oidc.fetchUserInfo(config, refreshed.access_token, aged.claims().sub);
brought.userinfo = user.email;
const own = await oidc.clientCredentialsGrant(config, { audience: `${process.argv[2]}api/v2/` });
brought.client_credentials = own.scope.includes("read:users");
await oidc.tokenRevocation(config, refreshed.refresh_token);
brought.revoked = await oidc
  .refreshTokenGrant(config, refreshed.refresh_token)
  .catch((error) => error.error);
for (const parameters of [{ prompt: "none", max_age: "0" }, { prompt: "bogus" }]) {
  brought[parameters.prompt] = await login(config, { parameters }).catch((error) => error.error);
}
const device = await oidc.initiateDeviceAuthorization(config, { scope: "openid email" });
const polled = oidc.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 });
await visit(new URL(device.verification_uri_complete));
brought.device = (await polled).claims().email;
const forgotten = await oidc.initiateDeviceAuthorization(config, { scope: "openid" });
const decline = new URL(forgotten.verification_uri_complete);
decline.hash = "decline";
await visit(decline);
brought.declined = await oidc
  .pollDeviceAuthorizationGrant(config, { ...forgotten, interval: 1 })
  .catch((error) => error.error);

const mine = await oidc.tokenIntrospection(config, aged.access_token);
brought.introspection = [mine.active, mine.sub === aged.claims().sub];
brought.not_mine = (await oidc.tokenIntrospection(config, "x")).active;

const jwk = JSON.parse(process.argv[3]);
const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
const verifier = oidc.randomPKCECodeVerifier();
const signed = await oidc.buildAuthorizationUrlWithJAR(
  config,
  {
    redirect_uri,
    scope: "openid email",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  },
  { key, kid: jwk.kid },
);
const jar = await oidc.authorizationCodeGrant(config, await visit(signed), {
  pkceCodeVerifier: verifier,
});
brought.jar = jar.claims().email;

const again = await login(config, { parameters: { audience: `${process.argv[2]}api/v2/` } });
const prefix = "urn:ietf:params:oauth:";
const exchanged = await oidc.genericGrantRequest(config, `${prefix}grant-type:token-exchange`, {
  subject_token: again.access_token,
  subject_token_type: `${prefix}token-type:access_token`,
  audience: `${process.argv[2]}api/v2/`,
});
brought.exchange = exchanged.issued_token_type;
const google = await oidc.genericGrantRequest(
  config,
  "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
  {
    subject_token: again.refresh_token,
    subject_token_type: `${prefix}token-type:refresh_token`,
    requested_token_type: "http://auth0.com/oauth/token-type/federated-connection-access-token",
    connection: "google-oauth2",
  },
);
brought.connection = google.access_token;
console.log(JSON.stringify(brought));
process.exit(0);
