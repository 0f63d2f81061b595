"""Extensions of a project, registered with ``current_project.register_manager``."""
