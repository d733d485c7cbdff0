import { LabIcon } from '@jupyterlab/ui-components';

const draw = (name: string, path: string): LabIcon =>
  new LabIcon({
    name: `atelier-toolbar:${name}`,
    svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="${path}"/></svg>`
  });

/** A list with ticks. */
export const statusIcon = draw(
  'status',
  'M3 5.5 4.4 4 6 5.6 9.1 2.5l1.4 1.4L6 8.5zM12 5h9v2h-9zM3 12.5 4.4 11 6 12.6l3.1-3.1 1.4 1.4L6 15.5zM12 12h9v2h-9zM4 17.5h4v4H4zM12 19h9v2h-9z'
);
/** An arrow up, out of a tray. */
export const saveIcon = draw(
  'save',
  'M12 3 6 9h4v6h4V9h4zM4 14H2v6h20v-6h-2v4H4z'
);
/** An arrow down, into a tray. */
export const pullIcon = draw(
  'pull',
  'm12 15 6-6h-4V3h-4v6H6zM4 14H2v6h20v-6h-2v4H4z'
);
/** A window and an arrow that leaves it. */
export const viewIcon = draw(
  'view',
  'M19 19H5V5h6V3H3v18h18v-8h-2zM14 3v2h3.6l-8.3 8.3 1.4 1.4L19 6.4V10h2V3z'
);
/** A sheet with a tick. */
export const checkIcon = draw(
  'check',
  'M5 3h14v10h-2V5H7v14h5v2H5zM9 7h6v2H9zM9 11h6v2H9zM16.5 21.9l-3.7-3.7 1.4-1.4 2.3 2.3 4.3-4.3 1.4 1.4z'
);
