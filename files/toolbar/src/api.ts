/** What the server part answers (`atelier_toolbar`), and how to ask it. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { lines } from './ndjson.js';

/** How a file here compares with the learner's space in GitLab. */
export type FileState =
  'saved' | 'here' | 'newer' | 'both' | 'new' | 'ignored' | 'kept_beside';

/** A file that differs from the last save. `was` is the old name of a renamed one. */
export interface IChange {
  path: string;
  change: 'new' | 'modified' | 'deleted' | 'renamed';
  was?: string;
}

/** The clone a file lies in. Paths are those of Jupyter's contents API. */
export interface IStatus {
  repository: {
    path: string;
    branch: string | null;
    web_url: string | null;
  } | null;
  gitlab: 'reached' | 'unreachable' | 'denied' | 'not asked';
  /** Saves that GitLab does not have yet. */
  ahead: number;
  /** Saves that GitLab has and this clone does not. */
  behind: number;
  file: { path: string; state: FileState } | null;
  changes: IChange[];
  busy: boolean;
  /** What fills the learner's space; null where there is room. */
  space: ISpace | null;
  /** Where the answer in the file is checked, on the hub's host; null: it is no exercise. */
  check: string | null;
}

/** A space that is full: bytes, and files, of how many; the largest ones as path and bytes. */
export interface ISpace {
  used: number;
  size: number;
  files: number;
  most_files: number;
  largest: [string, number][];
}

/** A version that could not be merged, kept under another name. */
export interface IKept {
  path: string;
  kept: string;
}

/** What save and pull say at their end. */
export interface IResult {
  commit_url?: string | null;
  merged?: boolean;
  updated?: string[];
  up_to_date?: boolean;
  reload?: string[];
  kept_beside?: IKept[];
}

/** Why save or pull stopped. */
export interface IProblem extends IResult {
  code: string;
  /** Whether the save exists here although GitLab does not have it. */
  committed?: boolean;
  files?: { path: string; size: number; limit: number }[];
  path?: string;
  space?: ISpace | null;
  /** What was begun in a terminal: "merge", "rebase". */
  operation?: string;
  /** The last words of git itself. */
  detail?: string;
  /** Of a check: the desk's own sentence, and the address of its page. */
  words?: string;
  page?: string;
}

/** What the desk says of the answer that was saved: texts are in the learner's language. */
export interface ICheck {
  title: string;
  score: string;
  verdict: 'expected' | 'passed' | 'not_yet';
  /** The verdict in words. */
  words: string;
  /** When the version that was checked was saved. */
  saved: string;
  /** How many checks are left, in words; empty without a limit. */
  attempts: string;
  problem: string;
  warnings: string[];
  hint: string;
  /** Those that are not hidden. */
  tests: ITest[];
  /** How many of the hidden ones passed, in words; empty when there are none. */
  hidden: string;
  run: IRun | null;
  /** What the parts are, where they do not count; else empty. */
  about_parts: string;
  parts: IPart[];
  parts_left_out: number;
  grade: { words: string };
  /** Address of the exercise's page. */
  page: string;
}

/** One of the teacher's tests, or a value or part that was tried. */
export interface ITest {
  name: string;
  state: 'passed' | 'partly' | 'failed' | 'pending';
  /** The state in words. */
  words: string;
  /** What was reached, in words. */
  points: string;
  say: string;
  /** The answer's own value, where it is not the right one. */
  yours: string;
  /** Number of the cell, from 1. */
  cell: number | null;
}

/** Where the answer's code did not go on. */
export interface IRun {
  words: string;
  error: string;
  cell: number | null;
  line: number | null;
}

/** A part of the answer that is not as expected. */
export interface IPart {
  kind: string;
  state: string;
  name: string;
  words: string;
  notes: string[];
  cell: number | null;
  line: number | null;
}

/** One line of the answer to save and pull. */
export type Line =
  { step: string } | { result: IResult } | { problem: IProblem };

/** A question that the server part cannot answer, with its reason. */
export class Refusal extends Error {
  constructor(readonly problem: IProblem) {
    super(problem.code);
  }
}

/** The requests of the commands, and the proposed message. */
export class Api {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Ask for a file's status; `askGitlab` also looks for what is newer there. */
  status(path: string, askGitlab: boolean): Promise<IStatus> {
    return this.get('status', { path, ...(askGitlab && { ask: '1' }) });
  }

  proposal(path: string, lang: string): Promise<{ message: string }> {
    return this.get('proposal', { path, lang });
  }

  view(path: string): Promise<{ url: string | null; saved: boolean }> {
    return this.get('view', { path });
  }

  save(
    path: string,
    message: string,
    files: string[] | null,
    lang: string
  ): AsyncIterable<Line> {
    return this.stream('save', { path, message, files, lang });
  }

  pull(path: string, lang: string): AsyncIterable<Line> {
    return this.stream('pull', { path, lang });
  }

  /** Have the desk check the version of a file that GitLab has. */
  async check(path: string, lang: string): Promise<ICheck> {
    const { result } = await this.found<{ result: ICheck }>(
      await this.request('check', {
        method: 'POST',
        body: JSON.stringify({ path, lang })
      })
    );
    return result;
  }

  private async get<T>(
    name: string,
    query: Record<string, string>
  ): Promise<T> {
    return this.found(
      await this.request(name + URLExt.objectToQueryString(query), {})
    );
  }

  /** The answer's content. Fails with a Refusal when it is a problem. */
  private async found<T>(response: Response): Promise<T> {
    const found = (await response.json()) as T | { problem: IProblem };
    if (typeof found === 'object' && found && 'problem' in found) {
      throw new Refusal(found.problem);
    }
    return found;
  }

  private async *stream(name: string, body: object): AsyncGenerator<Line> {
    const response = await this.request(name, {
      method: 'POST',
      body: JSON.stringify(body)
    });
    if (response.body) {
      for await (const line of lines(response.body)) {
        yield JSON.parse(line) as Line;
      }
    }
  }

  private async request(name: string, init: RequestInit): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, 'atelier-toolbar', name);
    const response = await ServerConnection.makeRequest(
      url,
      init,
      this.settings
    );
    if (!response.ok) {
      throw await ServerConnection.ResponseError.create(response);
    }
    return response;
  }
}
