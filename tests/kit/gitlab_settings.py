"""Lines of ``gitlab.rb`` for signing in to GitLab by the hub, as role gitlab writes them."""

from __future__ import annotations

_GITLAB_RB = """
external_url '{gitlab}'
gitlab_rails['omniauth_enabled'] = true
gitlab_rails['omniauth_allow_single_sign_on'] = ['oauth2_generic']
gitlab_rails['omniauth_auto_sign_in_with_provider'] = 'oauth2_generic'
gitlab_rails['omniauth_block_auto_created_users'] = false
gitlab_rails['omniauth_providers'] = [
  {{
    name: 'oauth2_generic',
    label: '{label}',
    app_id: 'service-gitlab',
    app_secret: '{secret}',
    args: {{
      client_options: {{
        site: '{hub}',
        authorize_url: '/hub/api/oauth2/authorize',
        token_url: '/hub/api/oauth2/token',
        user_info_url: '/hub/api/user',
        auth_scheme: 'request_body'
      }},
      user_response_structure: {{
        root_path: [],
        id_path: ['name'],
        attributes: {{
          nickname: 'name',
          name: ['user_info', 'name'],
          email: ['user_info', 'email']
        }}
      }},
      pkce: true,
      name: 'oauth2_generic',
      strategy_class: 'OmniAuth::Strategies::OAuth2Generic'
    }}
  }}
]
"""


def sign_in_by_hub(gitlab: str, hub: str, secret: str, label: str) -> str:
    """Return the settings of a GitLab.

    Args:
        gitlab: its address.
        hub: address of the hub.
        secret: the OAuth client's.
        label: name of the way to sign in.
    """
    return _GITLAB_RB.format(gitlab=gitlab, hub=hub, secret=secret, label=label)
