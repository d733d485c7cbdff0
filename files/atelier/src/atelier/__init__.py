"""What runs on the server: the hub plug-in and the desk of the Ansible collection mooc.atelier."""
