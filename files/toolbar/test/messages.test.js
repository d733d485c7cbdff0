/** What a learner reads when a save or a pull stops: every state, word for word, twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as words from '../lib/words.js';
import { english, french, plain } from './languages.js';

/** [what the server part says, English, French]: title, what happened, what to do. */
const PROBLEMS = [
  [
    { code: 'refused', committed: true },
    [
      'GitLab refused',
      'Your work is saved here, but GitLab refused it.',
      'Nothing is lost. Try again; if GitLab refuses again, show the details to your teachers.'
    ],
    [
      'GitLab a refusé',
      'Votre travail est enregistré ici, mais GitLab l’a refusé.',
      'Rien n’est perdu. Réessayez ; si GitLab refuse encore, montrez les détails à l’équipe enseignante.'
    ]
  ],
  [
    { code: 'denied', committed: true },
    [
      'GitLab does not let you in',
      'Your work is saved here, but GitLab gives no access to your space.',
      'Nothing is lost. Open GitLab once from the course page, then try again; if that does not help, tell your teachers.'
    ],
    [
      'GitLab ne vous laisse pas entrer',
      'Votre travail est enregistré ici, mais GitLab ne donne pas accès à votre espace.',
      'Rien n’est perdu. Ouvrez GitLab une fois depuis la page du cours, puis réessayez ; si cela ne suffit pas, dites-le à l’équipe enseignante.'
    ]
  ],
  [
    { code: 'denied' },
    [
      'GitLab does not let you in',
      'GitLab gives no access to your space.',
      'Nothing is lost. Open GitLab once from the course page, then try again; if that does not help, tell your teachers.'
    ],
    [
      'GitLab ne vous laisse pas entrer',
      'GitLab ne donne pas accès à votre espace.',
      'Rien n’est perdu. Ouvrez GitLab une fois depuis la page du cours, puis réessayez ; si cela ne suffit pas, dites-le à l’équipe enseignante.'
    ]
  ],
  [
    { code: 'moving', committed: true },
    [
      'GitLab keeps changing',
      'While your work was being sent, something newer arrived in GitLab, several times.',
      'Nothing is lost. Try again in a moment.'
    ],
    [
      'GitLab change sans cesse',
      'Pendant l’envoi de votre travail, quelque chose de plus récent est arrivé dans GitLab, plusieurs fois de suite.',
      'Rien n’est perdu. Réessayez dans un instant.'
    ]
  ],
  [
    { code: 'busy' },
    [
      'One moment',
      'Another save or pull is under way, perhaps in another window.',
      'Wait until it has ended, then try again.'
    ],
    [
      'Un instant',
      'Un autre enregistrement ou une récupération est en cours, peut-être dans une autre fenêtre.',
      'Attendez qu’il soit terminé, puis réessayez.'
    ]
  ],
  [
    { code: 'unfinished', operation: 'rebase' },
    [
      'Something begun in a terminal',
      'A “rebase” was begun in a terminal and has not ended.',
      'Nothing has changed here. Finish it in the terminal, or ask your teachers for help, then try again.'
    ],
    [
      'Une opération commencée dans un terminal',
      'Un « rebase » a été commencé dans un terminal et n’est pas terminé.',
      'Rien n’a changé ici. Terminez-la dans le terminal, ou demandez de l’aide à l’équipe enseignante, puis réessayez.'
    ]
  ],
  [
    { code: 'no_branch' },
    [
      'Something begun in a terminal',
      'The folder of the course is not on a branch.',
      'Nothing has changed here. Finish it in the terminal, or ask your teachers for help, then try again.'
    ],
    [
      'Une opération commencée dans un terminal',
      'Le dossier du cours n’est sur aucune branche.',
      'Rien n’a changé ici. Terminez-la dans le terminal, ou demandez de l’aide à l’équipe enseignante, puis réessayez.'
    ]
  ],
  [
    { code: 'disk_full' },
    [
      'Your disk space is full',
      'There is no room left for your files.',
      'Delete files that you no longer need (right click, “Delete”), then try again.'
    ],
    [
      'Votre espace disque est plein',
      'Il n’y a plus de place pour vos fichiers.',
      'Supprimez les fichiers dont vous n’avez plus besoin (clic droit, « Supprimer »), puis réessayez.'
    ]
  ],
  [
    {
      code: 'disk_full',
      space: {
        used: 1073741824,
        size: 1073741824,
        files: 12,
        most_files: 65536,
        largest: [
          ['demo/big.csv', 734003200],
          ['a.bin', 2048]
        ]
      }
    },
    [
      'Your disk space is full',
      'There is no room left for your files. 1.0 GB of 1.0 GB are in use. The largest files are “demo/big.csv” (700 MB), “a.bin” (1 MB).',
      'Delete files that you no longer need (right click, “Delete”), then try again.'
    ],
    [
      'Votre espace disque est plein',
      'Il n’y a plus de place pour vos fichiers. 1,0 Go sur 1,0 Go sont occupés. Les plus gros fichiers : « demo/big.csv » (700 Mo), « a.bin » (1 Mo).',
      'Supprimez les fichiers dont vous n’avez plus besoin (clic droit, « Supprimer »), puis réessayez.'
    ]
  ],
  [
    {
      code: 'disk_full',
      space: {
        used: 104857600,
        size: 1073741824,
        files: 65530,
        most_files: 65536,
        largest: []
      }
    },
    [
      'Your disk space is full',
      'There is no room left for your files. 65530 of 65536 files are there.',
      'Delete files that you no longer need (right click, “Delete”), then try again.'
    ],
    [
      'Votre espace disque est plein',
      'Il n’y a plus de place pour vos fichiers. Il y a 65530 fichiers, sur 65536 au plus.',
      'Supprimez les fichiers dont vous n’avez plus besoin (clic droit, « Supprimer »), puis réessayez.'
    ]
  ],
  [
    { code: 'too_much', committed: true },
    [
      'Too much at once for GitLab',
      'Your work is saved here, but GitLab does not take so much at once.',
      'Nothing is lost. Show this to your teachers: large data files belong elsewhere, or GitLab has to take more.'
    ],
    [
      'Trop à la fois pour GitLab',
      'Votre travail est enregistré ici, mais GitLab n’en accepte pas autant à la fois.',
      'Rien n’est perdu. Montrez ceci à l’équipe enseignante : les gros fichiers de données ont leur place ailleurs, ou GitLab doit en accepter plus.'
    ]
  ],
  [
    { code: 'offline', committed: true },
    [
      'GitLab does not answer',
      'Your work is saved here, but GitLab does not answer.',
      'Nothing is lost. Go on working; the next save sends everything.'
    ],
    [
      'GitLab ne répond pas',
      'Votre travail est enregistré ici, mais GitLab ne répond pas.',
      'Rien n’est perdu. Continuez à travailler ; le prochain enregistrement enverra tout.'
    ]
  ],
  [
    { code: 'too_often' },
    [
      'GitLab is very busy',
      'GitLab takes no more requests for a moment.',
      'Nothing has changed here. Try again in a few minutes.'
    ],
    [
      'GitLab est très demandé',
      'GitLab n’accepte plus de demandes pour un moment.',
      'Rien n’a changé ici. Réessayez dans quelques minutes.'
    ]
  ],
  [
    { code: 'offline' },
    [
      'GitLab does not answer',
      'GitLab does not answer at the moment.',
      'Nothing has changed here. Try again in a few minutes.'
    ],
    [
      'GitLab ne répond pas',
      'GitLab ne répond pas pour le moment.',
      'Rien n’a changé ici. Réessayez dans quelques minutes.'
    ]
  ],
  [
    { code: 'nothing' },
    [
      'Nothing to save',
      'Nothing has changed since the last save: GitLab has all of it.',
      ''
    ],
    [
      'Rien à enregistrer',
      'Rien n’a changé depuis le dernier enregistrement : GitLab a déjà tout.',
      ''
    ]
  ],
  [
    {
      code: 'too_large',
      files: [
        { path: 'course/a.csv', size: 12_345_678, limit: 5_000_000 },
        { path: 'course/b.csv', size: 6_000_000, limit: 5_000_000 }
      ]
    },
    [
      'Too large for GitLab',
      '“a.csv” weighs 13 MB; at most 5 MB can be saved. “b.csv” weighs 6 MB; at most 5 MB can be saved.',
      'Nothing has been saved yet. Save again without this file (take its tick away), or make it smaller: data that a program can download or compute again need not be saved.'
    ],
    [
      'Trop gros pour GitLab',
      '« a.csv » pèse 13 Mo ; on peut enregistrer au plus 5 Mo. « b.csv » pèse 6 Mo ; on peut enregistrer au plus 5 Mo.',
      'Rien n’a encore été enregistré. Enregistrez de nouveau sans ce fichier (en le décochant), ou réduisez-le : des données qu’un programme peut télécharger ou recalculer n’ont pas besoin d’être enregistrées.'
    ]
  ],
  [
    { code: 'bad_name', path: 'course/.git/x' },
    [
      'A name that cannot be saved',
      'The name of “.git/x” cannot be kept in GitLab.',
      'Nothing has been saved. Rename the file, then save.'
    ],
    [
      'Un nom impossible à enregistrer',
      'Le nom de « .git/x » ne peut pas être gardé dans GitLab.',
      'Rien n’a été enregistré. Renommez le fichier, puis enregistrez.'
    ]
  ],
  [
    { code: 'no_identity' },
    [
      'Who are you?',
      'Your name is not known here.',
      'Nothing has changed here. Stop your server, come back from the course page, then try again.'
    ],
    [
      'Qui êtes-vous ?',
      'Votre nom n’est pas connu ici.',
      'Rien n’a changé ici. Arrêtez votre serveur, revenez depuis la page du cours, puis réessayez.'
    ]
  ],
  [
    { code: 'not_a_clone' },
    [
      'Not in your course folder',
      'This file does not lie in the folder that is kept in GitLab.',
      'Move it into the folder of the course, then save.'
    ],
    [
      'Hors du dossier du cours',
      'Ce fichier n’est pas dans le dossier qui est gardé dans GitLab.',
      'Déplacez-le dans le dossier du cours, puis enregistrez.'
    ]
  ],
  [
    { code: 'unsaved', path: 'course/a.md' },
    [
      'A document is not saved',
      '“a.md” still has edits that are not saved.',
      'Nothing has been sent or brought. Save this document (Ctrl+S), then try again.'
    ],
    [
      'Un document n’est pas enregistré',
      '« a.md » a encore des modifications non enregistrées.',
      'Rien n’a été envoyé ni récupéré. Enregistrez ce document (Ctrl+S), puis réessayez.'
    ]
  ],
  [
    { code: 'not_kept', path: 'course/a.md' },
    [
      'A document is not saved',
      '“a.md” was also changed elsewhere, and your version could not be kept beside it.',
      'Nothing has been overwritten, and your version is still on the screen. Delete files that you no longer need if your disk space is full, then save again.'
    ],
    [
      'Un document n’est pas enregistré',
      '« a.md » a aussi changé ailleurs, et votre version n’a pas pu être gardée à côté.',
      'Rien n’a été écrasé, et votre version est toujours à l’écran. Supprimez des fichiers dont vous n’avez plus besoin si votre espace disque est plein, puis enregistrez de nouveau.'
    ]
  ],
  [
    { code: 'connection' },
    [
      'Jupyter does not answer',
      'The connection to your Jupyter server was lost on the way.',
      'What was saved stays saved. When Jupyter answers again, press Status to see where things stand.'
    ],
    [
      'Jupyter ne répond pas',
      'La connexion à votre serveur Jupyter s’est interrompue en chemin.',
      'Ce qui a été enregistré le reste. Quand Jupyter répondra de nouveau, « État » vous dira où vous en êtes.'
    ]
  ],
  [
    { code: 'failed' },
    [
      'It did not work',
      'Something unexpected happened.',
      'Nothing is lost: your files are here. Try again; if it happens again, show the details to your teachers.'
    ],
    [
      'Cela n’a pas fonctionné',
      'Il s’est passé quelque chose d’inattendu.',
      'Rien n’est perdu : vos fichiers sont ici. Réessayez ; si cela se reproduit, montrez les détails à l’équipe enseignante.'
    ]
  ]
];

const shown = (found, trans) => {
  const said = words.problem(found, 'course', trans);
  return [said.title, said.happened, said.todo].map(plain);
};

for (const [found, inEnglish, inFrench] of PROBLEMS) {
  const name = found.code + (found.committed ? ', saved here' : '');
  test(`${name}: what a learner reads`, () => {
    assert.deepEqual(shown(found, english), inEnglish);
    assert.deepEqual(shown(found, french), inFrench);
  });
}

/** Problems of a check: see verdicts.test.js. */
const CHECKED = ['no_exercise', 'check_page', 'check_refused', 'check_away'];

test('no problem that the server part can name is left out', () => {
  const source = readFileSync(
    new URL('../atelier_toolbar/problems.py', import.meta.url),
    'utf8'
  );
  const listed = source.match(/Code = Literal\[([^\]]+)\]/)[1];
  const named = [...listed.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  assert.ok(named.length > 10);
  const here = new Set(PROBLEMS.map(([found]) => found.code));
  for (const code of CHECKED) {
    here.add(code); // the panel has their sentences
  }
  assert.deepEqual(
    named.filter(code => !here.has(code)),
    []
  );
});

const status = more => ({
  repository: { path: 'course', branch: 'main', web_url: null },
  gitlab: 'reached',
  ahead: 0,
  behind: 0,
  file: { path: 'course/a.md', state: 'here' },
  changes: [],
  busy: false,
  ...more
});

test('the status tells who works, who is kept out, and what waits', () => {
  const told = (more, trans) =>
    [
      ...words.summary(status(more), trans),
      ...words.waiting(status(more), trans)
    ].map(plain);
  const all = { gitlab: 'denied', busy: true, ahead: 1, behind: 2 };
  assert.deepEqual(told(all, english), [
    'GitLab gives no access to your space at the moment. Your work is kept here.',
    'A save or a pull is under way in another window.',
    'No file has changed since the last save.',
    'One save is kept here and not in GitLab yet. Save to GitLab sends it.',
    'GitLab has 2 newer saves. Pull brings them here.'
  ]);
  assert.deepEqual(told(all, french), [
    'GitLab ne donne pas accès à votre espace pour le moment. Votre travail est gardé ici.',
    'Un enregistrement ou une récupération est en cours dans une autre fenêtre.',
    'Aucun fichier n’a changé depuis le dernier enregistrement.',
    'Un enregistrement est gardé ici et pas encore dans GitLab. « Enregistrer dans GitLab » l’enverra.',
    'GitLab a 2 enregistrements plus récents. « Récupérer » les apporte ici.'
  ]);
});

test('two versions of one file are told in both languages', () => {
  const files = ['a.md', 'a (yours).md'];
  assert.equal(
    words.otherWindow(...files, english),
    '“a.md” was also changed elsewhere, in another window or by a program. Both versions are kept: “a.md” is what was saved there, “a (yours).md” is what you had here.'
  );
  assert.equal(
    plain(words.otherWindow('a.md', 'a (à vous).md', french)),
    '« a.md » a aussi changé ailleurs, dans une autre fenêtre ou par un programme. Les deux versions sont gardées : « a.md » est ce qui a été enregistré là-bas, « a (à vous).md » est ce que vous aviez ici.'
  );
});

test('the badge reads in both languages, also when GitLab is not there', () => {
  const away = status({ gitlab: 'unreachable' });
  assert.equal(
    words.badge(away, false, english).text,
    'Changes here only (GitLab does not answer)'
  );
  assert.equal(
    words.badge(away, false, french).text,
    'Modifications ici seulement (GitLab ne répond pas)'
  );
});
