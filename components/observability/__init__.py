"""What watches an environment. So far: the workspace that all logs go to (`logs`)."""
