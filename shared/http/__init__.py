"""HTTP: every request of the project leaves through `client.HttpClient`, within its bounds."""
