"""The web server of the portal and of the console: uvicorn, with bounds."""
