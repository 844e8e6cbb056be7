// The page of the quickstart "Call an API": log in, open Profile, see `user_metadata`.
// The settings are in the document: the tenant, and where tokens are kept. `other` is the URL of an
// API that gets no token.
import { AsyncPipe, JsonPipe } from '@angular/common';
import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { Component, inject, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { provideRouter, RouterLink, RouterOutlet } from '@angular/router';
import { authGuardFn, authHttpInterceptorFn, AuthService, provideAuth0 } from '@auth0/auth0-angular';
import { concatMap, filter, map } from 'rxjs';

interface Settings {
  domain: string;
  api: string;
  other?: string;
  cacheLocation: 'localstorage' | 'memory';
}

declare global {
  interface Window {
    settings: Settings;
  }
}

const { domain, api, other, cacheLocation } = window.settings;

@Component({
  selector: 'page-profile',
  imports: [AsyncPipe, JsonPipe],
  template: `
    @if (auth.user$ | async; as user) { <p data-testid="user-name">{{ user.name }}</p> }
    @if (metadata$ | async; as metadata) { <pre data-testid="user-metadata">{{ metadata | json }}</pre> }
    <button data-testid="call-other" (click)="callOther()">Call another API</button>
    <p data-testid="other-answer">{{ answer() }}</p>
  `,
})
class Profile {
  readonly auth = inject(AuthService);
  private readonly http = inject(HttpClient);
  readonly metadata$ = this.auth.user$.pipe(
    filter((user) => !!user?.sub),
    concatMap((user) =>
      this.http.get<{ user_metadata: object }>(`${api}users/${encodeURIComponent(user!.sub!)}`),
    ),
    map((user) => user.user_metadata),
  );
  readonly answer = signal('');

  callOther(): void {
    this.http
      .get(other!)
      .subscribe({ next: () => this.answer.set('ok'), error: (e) => this.answer.set(e.message) });
  }
}

@Component({ template: '' })
class Home {}

@Component({
  selector: 'page-root',
  imports: [AsyncPipe, RouterLink, RouterOutlet],
  template: `
    @if (auth.isAuthenticated$ | async) {
      <a routerLink="/profile">Profile</a>
      <button data-testid="logout" (click)="logOut()">Log out</button>
    } @else if ((auth.isLoading$ | async) === false) {
      <button data-testid="login" (click)="logIn()">Log in</button>
    }
    @if (auth.error$ | async; as error) { <p data-testid="auth-error">{{ error.message }}</p> }
    <router-outlet />
  `,
})
class Root {
  readonly auth = inject(AuthService);

  logIn(): void {
    this.auth.loginWithRedirect({ appState: { target: '/profile' } });
  }

  logOut(): void {
    this.auth.logout({ logoutParams: { returnTo: location.origin } });
  }
}

bootstrapApplication(Root, {
  providers: [
    provideRouter([
      { path: '', component: Home },
      { path: 'profile', component: Profile, canActivate: [authGuardFn] },
    ]),
    provideHttpClient(withInterceptors([authHttpInterceptorFn])),
    provideAuth0({
      domain,
      clientId: 'local-spa',
      cacheLocation,
      useRefreshTokens: cacheLocation === 'localstorage',
      authorizationParams: {
        redirect_uri: location.origin,
        audience: api,
        scope: 'openid profile email read:current_user offline_access',
      },
      httpInterceptor: { allowedList: [`${api}*`] },
    }),
  ],
}).catch((error) => console.error(error));
