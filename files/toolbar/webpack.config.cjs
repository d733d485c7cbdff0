// Joins jupyter-builder's own settings.
module.exports = {
  optimization: {
    // The default numbers come from the folder of the build: two builds would differ.
    moduleIds: 'named'
  }
};
