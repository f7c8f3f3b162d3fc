# `svhn serve` in a container, without TensorFlow: docker build -t svhn . && docker run -p 8000:8000 svhn
FROM python:3.12-slim

COPY . /source
RUN pip install --no-cache-dir --no-compile '/source[serve]'
RUN rm -rf /source

USER nobody
EXPOSE 8000
HEALTHCHECK --start-period=10s CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/v1/health')"
CMD ["svhn", "serve", "--host=0.0.0.0", "--port=8000"]
