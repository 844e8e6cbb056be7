// An app with the unmodified express-openid-connect.
// node express_app.mjs PORT '{"issuerBaseURL": …, further options of `auth()`}'
import express from "express";
import openid from "express-openid-connect";

const [port, options] = [process.argv[2], JSON.parse(process.argv[3])];
const app = express();
app.use(
  openid.auth({
    baseURL: `http://localhost:${port}`,
    clientID: "express",
    secret: "a secret of at least thirty-two characters",
    idpLogout: true,
    auth0Logout: true,
    authRequired: false,
    backchannelLogout: Boolean(options.backchannelLogoutStore ?? options.backchannelLogout),
    ...options,
  }),
);
app.get("/", (request, response) =>
  response.json({
    user: request.oidc.user ?? null,
    accessToken: request.oidc.accessToken ?? null,
    refreshToken: request.oidc.refreshToken ?? null,
  }),
);
app.get("/refreshed", async (request, response) => {
  const token = await request.oidc.accessToken.refresh();
  response.json({ accessToken: token.access_token, user: request.oidc.user });
});
app.use((error, request, response, next) =>
  response.status(error.status ?? 500).json({ error: error.error ?? error.message }),
);
app.listen(Number(port), "localhost");
